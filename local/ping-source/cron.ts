// Five cron fields, as robfig/cron of the PingSource reads them: lists, ranges, steps and names; when both day fields are
// restricted, either may match. UTC.

import { SluiceError } from '../../shared/errors/index.ts'

export interface Cron {
  /** First whole minute after `ms` (epoch milliseconds) that matches. Undefined when none comes within five years. */
  next(ms: number): number | undefined
}

interface Field {
  readonly name: string
  readonly min: number
  readonly max: number
  /** Names in place of numbers; the first stands for `min`. */
  readonly names?: readonly string[]
}

const fields = [
  { name: 'minute', min: 0, max: 59 },
  { name: 'hour', min: 0, max: 23 },
  { name: 'day of month', min: 1, max: 31 },
  {
    name: 'month',
    min: 1,
    max: 12,
    names: ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'],
  },
  { name: 'day of week', min: 0, max: 6, names: ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] },
] as const satisfies readonly Field[]

const minuteMs = 60_000
const dayMs = 24 * 60 * minuteMs
const farthestMs = 5 * 366 * dayMs

/** @throws SluiceError `invalid_option`, naming the field at fault. */
export function parseCron(schedule: string): Cron {
  const texts = schedule.trim().split(/\s+/)
  if (texts.length !== fields.length) {
    throw new SluiceError('invalid_option', `schedule '${schedule}' must have five fields, such as '*/5 * * * *'`)
  }
  const [minutes, hours, days, months, weekdays] = fields.map((field, index) => parseField(texts[index] ?? '', field))
  const bothDays = ![texts[2], texts[4]].some((text) => text === undefined || /^[*?]/.test(text))

  const matchesDay = (date: Date): boolean => {
    const byDay = days?.has(date.getUTCDate()) ?? false
    const byWeekday = weekdays?.has(date.getUTCDay()) ?? false
    return (months?.has(date.getUTCMonth() + 1) ?? false) && (bothDays ? byDay || byWeekday : byDay && byWeekday)
  }
  return {
    next: (ms) => {
      const end = ms + farthestMs
      let at = Math.floor(ms / minuteMs) * minuteMs + minuteMs
      while (at < end) {
        const date = new Date(at)
        if (!matchesDay(date)) at = Math.floor(at / dayMs) * dayMs + dayMs
        else if (hours?.has(date.getUTCHours()) !== true) at += (60 - date.getUTCMinutes()) * minuteMs
        else if (minutes?.has(date.getUTCMinutes()) === true) return at
        else at += minuteMs
      }
      return undefined
    },
  }
}

function parseField(text: string, field: Field): ReadonlySet<number> {
  const values = text.split(',').flatMap((part) => parseRange(part, field))
  return new Set(values)
}

function parseRange(part: string, field: Field): readonly number[] {
  const [, range = '', step = '1'] = /^([^/]+)(?:\/([1-9]\d{0,2}))?$/.exec(part) ?? []
  const [first, last] = bounds(range, part.includes('/'), field)
  if (first === undefined || last === undefined || first > last) {
    throw new SluiceError('invalid_option', `'${part}' is not a valid ${field.name} of a schedule`)
  }
  const values: number[] = []
  for (let value = first; value <= last; value += Number(step)) values.push(value)
  return values
}

function bounds(range: string, hasStep: boolean, field: Field): readonly [number | undefined, number | undefined] {
  if (range === '*' || range === '?') return [field.min, field.max]
  const [from = '', to] = range.split('-')
  const first = numberOf(from, field)
  // `5/15` means from 5 to the end, every 15.
  return [first, to === undefined ? (hasStep ? field.max : first) : numberOf(to, field)]
}

function numberOf(text: string, { min, max, names = [] }: Field): number | undefined {
  const named = names.indexOf(text.toLowerCase())
  if (named >= 0) return named + min
  const value = /^\d{1,2}$/.test(text) ? Number(text) : Number.NaN
  return value >= min && value <= max ? value : undefined
}
