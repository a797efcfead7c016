// Times as java.time.OffsetDateTime reads and prints them (ISO_OFFSET_DATE_TIME): an offset is required and kept, seconds are
// always printed, the fraction has up to nine digits and none at its end is zero, a zero offset is printed as Z.

const date = '([+-]?\\d{4,9})-(\\d\\d)-(\\d\\d)'
const time = '(\\d\\d):(\\d\\d)(?::(\\d\\d)(?:\\.(\\d{0,9}))?)?'
/** Lenient since JDK 11: minutes and colons may be missing. */
const offset = '(Z|[+-]\\d\\d(?::?\\d\\d(?::?\\d\\d)?)?)'
const isoOffsetDateTime = new RegExp(`^${date}T${time}${offset}$`, 'i')

/** As Java prints it; undefined for what Java does not parse. */
export function javaDateTime(text: string): string | undefined {
  const [, year = '', month = '', day = '', hour = '', minute = '', second = '00', fraction = '', zone] =
    isoOffsetDateTime.exec(text) ?? []
  if (zone === undefined || !isYear(year) || !isDay(Number(year), Number(month), Number(day))) return undefined
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined
  const printedOffset = offsetId(zone)
  if (printedOffset === undefined) return undefined
  const digits = fraction.replace(/0+$/, '')
  return `${year}-${month}-${day}T${hour}:${minute}:${second}${digits === '' ? '' : `.${digits}`}${printedOffset}`
}

/** An instant in UTC, such as the timestamp of a record. */
export const javaInstant = (epochMs: number): string =>
  new Date(epochMs)
    .toISOString()
    .replace(/^([+-])0*(\d{4,})/, '$1$2')
    .replace(/\.?0*Z$/, 'Z')

/** Four digits without a sign, more with one; a minus for years before 0. */
const isYear = (year: string): boolean =>
  /^(?:\d{4}|\+[1-9]\d{4,8}|-\d{4}|-[1-9]\d{4,8})$/.test(year) && year !== '-0000'

function isDay(year: number, month: number, day: number): boolean {
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  const days = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1] ?? 0
  return day >= 1 && day <= days
}

/** ZoneOffset: at most 18 hours either way. */
function offsetId(zone: string): string | undefined {
  if (zone.toUpperCase() === 'Z') return 'Z'
  const [hours = '00', minutes = '00', seconds = '00'] = zone.slice(1).match(/\d\d/g) ?? []
  const total = (Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)
  if (Number(minutes) > 59 || Number(seconds) > 59 || total > 18 * 3_600) return undefined
  if (total === 0) return 'Z'
  return `${zone.slice(0, 1)}${hours}:${minutes}${seconds === '00' ? '' : `:${seconds}`}`
}
