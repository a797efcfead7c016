// Numbers as Java prints them since JDK 19 (Double.toString, Float.toString): plain from 0.001 to below ten million, else with
// an exponent, always with a digit after the point, and no more digits than tell the value from its neighbours.
// Where one digit would do, Java takes the nearest of two: 4.9E-324, not 5.0E-324.

export const javaDouble = (value: number): string => javaDecimal(value, shortestDouble)

/** `value` must be a number that a 32-bit float holds exactly, such as one read by `readFloatBE`. */
export const javaFloat = (value: number): string => javaDecimal(value, shortestFloat)

function javaDecimal(value: number, shortest: (size: number) => string): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? 'Infinity' : '-Infinity'
  const sign = value < 0 || Object.is(value, -0) ? '-' : ''
  const size = Math.abs(value)
  if (size === 0) return `${sign}0.0`
  const [mantissa = '', power = '0'] = shortest(size).split('e')
  const digits = mantissa.replace('.', '').replace(/(?<=.)0+$/, '')
  const exponent = Number(power)
  if (size >= 1e-3 && size < 1e7) return sign + plain(digits, exponent)
  return `${sign}${digits.slice(0, 1)}.${digits.slice(1).padEnd(1, '0')}E${exponent}`
}

function plain(digits: string, exponent: number): string {
  if (exponent < 0) return `0.${'0'.repeat(-exponent - 1)}${digits}`
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, '0')
  return `${whole}.${digits.slice(exponent + 1).padEnd(1, '0')}`
}

/** As `d.ddde±n`, two digits at least. */
function shortestDouble(size: number): string {
  const text = size.toExponential()
  return text.includes('.') ? text : size.toExponential(1)
}

function shortestFloat(size: number): string {
  for (let decimals = 1; decimals < 9; decimals += 1) {
    const text = size.toExponential(decimals)
    if (Math.fround(Number(text)) === size) return text
  }
  return size.toExponential(9)
}
