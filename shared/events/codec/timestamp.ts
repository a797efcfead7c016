// The `time` attribute: RFC 3339 with a zone, and nothing that a database or a Date would refuse or read differently.
// Leap seconds and the year 0 are refused: Date has no 60th second and PostgreSQL no year 0. Offsets end at ±15:59 there.

const year = '(?!0000)\\d{4}'
const month = '(?:0[1-9]|1[0-2])'
const day = '(?:0[1-9]|[12]\\d|3[01])'
const time = '(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d{1,9})?'
const zone = '(?:Z|[+-](?:0\\d|1[0-5]):[0-5]\\d)'
const pattern = new RegExp(`^${year}-${month}-${day}T${time}${zone}$`, 'i')

export function isTimestamp(text: string): boolean {
  if (!pattern.test(text)) return false
  const dayOfMonth = Number(text.slice(8, 10))
  return dayOfMonth <= 28 || dayOfMonth <= daysIn(Number(text.slice(0, 4)), Number(text.slice(5, 7)))
}

function daysIn(year: number, month: number): number {
  if (month !== 2) return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
}
