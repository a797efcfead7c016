// The record of an event in the outbox. The same bytes whether it is made from what the emitter still has in memory or from the
// stored row, so that it does not matter who publishes.

import { SluiceError } from '../../errors/index.ts'
import type { AppendRecord } from '../../event-log/index.ts'
import { encodeRecord, encodeWritten, fromJsonFormat, type CloudEvent } from '../../events/index.ts'
import type { OutboxRow } from './claim.ts'

/** Digits of `sequence`, which the CloudEvents extension wants ordered as text. */
const sequenceDigits = 16

export function recordOf({ topic, key, sequence, json, written }: OutboxRow): AppendRecord {
  if (written !== undefined)
    return { topic, ...encodeWritten(numbered(written.event, sequence), { key, value: Buffer.from(written.data) }) }
  const decoded = fromJsonFormat(JSON.parse(json))
  if (!decoded.ok)
    throw new SluiceError('internal', `Outbox row ${sequence} of a key of ${topic} is no event: ${decoded.message}`)
  return { topic, ...encodeRecord(numbered(decoded.event, sequence), { key }) }
}

/** The event as it is published. */
export const numbered = (event: CloudEvent, sequence: number): CloudEvent => ({
  ...event,
  extensions: { ...event.extensions, sequence: String(sequence).padStart(sequenceDigits, '0') },
})
