// What time it is, somewhere.

import { SluiceError } from '../../../shared/errors/index.ts'
import { defineTool } from '../tool.ts'

export const timestamp = defineTool<{ readonly time_zone?: string }>({
  name: 'timestamp',
  description: 'Tells the current date and time in a time zone.',
  parameters: {
    type: 'object',
    additionalProperties: false,
    required: [],
    properties: {
      time_zone: { type: 'string', maxLength: 64, description: 'IANA time zone such as America/Lima. Default: UTC.' },
    },
  },
  effect: 'read',
  limits: { timeoutMs: 1_000, concurrent: 64 },
  run: async ({ time_zone: timeZone = 'UTC' }, { clock }) => localTime(new Date(clock.now()), timeZone),
})

interface LocalTime {
  readonly time_zone: string
  /** ISO 8601 with the zone's offset. */
  readonly local: string
  readonly weekday: string
  readonly utc: string
}

function localTime(at: Date, timeZone: string): LocalTime {
  const parts = formatter(timeZone).formatToParts(at)
  const part = (type: Intl.DateTimeFormatPartTypes): string => parts.find((found) => found.type === type)?.value ?? ''
  const offset = part('timeZoneName') === 'GMT' ? '+00:00' : part('timeZoneName').replace('GMT', '')
  const local = `${part('year')}-${part('month')}-${part('day')}T${part('hour')}:${part('minute')}:${part('second')}${offset}`
  return { time_zone: timeZone, local, weekday: part('weekday'), utc: at.toISOString() }
}

function formatter(timeZone: string): Intl.DateTimeFormat {
  try {
    return new Intl.DateTimeFormat('en-US', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
      weekday: 'long',
      timeZoneName: 'longOffset',
    })
  } catch (cause) {
    throw new SluiceError(
      'invalid_arguments',
      'The time zone is not known; give an IANA name such as Europe/Paris or America/Lima',
      { cause },
    )
  }
}
