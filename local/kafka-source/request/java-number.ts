// Numbers as Java prints them (Double.toString, Float.toString): plain from 0.001 to below ten million, else with an
// exponent, always with a digit after the point.

export const javaDouble = (value: number): string => javaText(value, shortestDouble)

/** `value` must be a number that a 32-bit float holds exactly, such as one read by `readFloatBE`. */
export const javaFloat = (value: number): string => javaText(value, shortestFloat)

function javaText(value: number, shortest: (value: number) => string): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? 'Infinity' : '-Infinity'
  const sign = value < 0 || Object.is(value, -0) ? '-' : ''
  const size = Math.abs(value)
  if (size === 0) return `${sign}0.0`
  const [mantissa = '', power = '0'] = shortest(size).split('e')
  const digits = mantissa.replace('.', '')
  const exponent = Number(power)
  if (size >= 1e-3 && size < 1e7) return sign + plain(digits, exponent)
  return `${sign}${digits.slice(0, 1)}.${digits.slice(1).padEnd(1, '0')}E${exponent}`
}

function plain(digits: string, exponent: number): string {
  if (exponent < 0) return `0.${'0'.repeat(-exponent - 1)}${digits}`
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, '0')
  return `${whole}.${digits.slice(exponent + 1).padEnd(1, '0')}`
}

/** Digits that are enough to tell the value from its neighbours, as `d.ddde±n`. */
const shortestDouble = (value: number): string => value.toExponential()

function shortestFloat(value: number): string {
  for (let digits = 0; digits < 9; digits += 1) {
    const text = value.toExponential(digits)
    if (Math.fround(Number(text)) === value) return text.replace(/\.?0+e/, 'e')
  }
  return value.toExponential(9)
}
