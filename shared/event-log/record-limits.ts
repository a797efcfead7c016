// How large a record may be, the same for every adapter: what Kafka takes with its default message.max.bytes (1 MiB + 12).

import { SluiceError } from '../errors/index.ts'
import type { AppendRecord } from './event-log.ts'

/** Largest record, in bytes as `recordBytes` counts. */
export const maxRecordBytes = 1_048_576

/** An upper bound of what Kafka needs to store the record in a batch of its own: batch header, lengths as varints, content. */
export function recordBytes({ key, value, headers }: AppendRecord): number {
  const ofHeaders = headers.reduce(
    (sum, [name, content]) => sum + 10 + Buffer.byteLength(name) + (content?.length ?? 0),
    0,
  )
  return 100 + (key?.length ?? 0) + (value?.length ?? 0) + ofHeaders
}

/** @throws SluiceError `event_too_large`. */
export function refuseTooLarge(records: readonly AppendRecord[]): void {
  for (const record of records) {
    const bytes = recordBytes(record)
    if (bytes <= maxRecordBytes) continue
    throw new SluiceError(
      'event_too_large',
      `A record for ${record.topic} has ${bytes} bytes; the log takes ${maxRecordBytes} at most`,
    )
  }
}
