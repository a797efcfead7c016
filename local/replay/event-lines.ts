// The file format of recorded events: JSON lines, each a CloudEvent in the JSON format (docs/replay.md).

import { fromJsonFormat, parseJson, toJsonFormat, type CloudEvent } from '../../shared/events/index.ts'

export type EventLine =
  | { readonly kind: 'event'; readonly line: number; readonly event: CloudEvent }
  | { readonly kind: 'fault'; readonly line: number; readonly message: string }

export const formatEventLine = (event: CloudEvent): string => JSON.stringify(toJsonFormat(event))

/** Empty lines are skipped; what is no event is handed on with its line number, counted from 1. */
export async function* readEventLines(lines: AsyncIterable<string>): AsyncGenerator<EventLine> {
  let line = 0
  for await (const text of lines) {
    line += 1
    if (text.trim() === '') continue
    const parsed = parseJson(text)
    const decoded = parsed.ok ? fromJsonFormat(parsed.value) : parsed
    if (!decoded.ok) yield { kind: 'fault', line, message: decoded.message }
    else if ('event' in decoded) yield { kind: 'event', line, event: decoded.event }
  }
}
