// Sends notifications in batches: while one statement is under way the next ones gather, so a burst costs few round trips and
// never more than one connection. Order is call order. A failed batch fails its callers; nothing is sent twice.

import { SluiceError } from '../errors/index.ts'
import type { Queryable } from './queryable.ts'

interface Notification {
  readonly channel: string
  readonly payload: string
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/** Postgres refuses 8,000 bytes and more. */
export const notifyPayloadBytes = 7_999
const batchSize = 200

const notifyAll = `SELECT count(pg_notify(channel, payload)) FROM unnest($1::text[], $2::text[]) AS t(channel, payload)`

export function createNotifier(database: Queryable): (channel: string, payload?: string) => Promise<void> {
  const waiting: Notification[] = []
  let sending = false

  async function sendAll(): Promise<void> {
    sending = true
    while (waiting.length > 0) {
      const batch = waiting.splice(0, batchSize)
      try {
        await database.query(notifyAll, [batch.map(({ channel }) => channel), batch.map(({ payload }) => payload)])
        for (const { resolve } of batch) resolve()
      } catch (error) {
        for (const { reject } of batch) reject(error)
      }
    }
    sending = false
  }

  return async (channel, payload = '') => {
    if (Buffer.byteLength(payload) > notifyPayloadBytes) {
      throw new SluiceError(
        'invalid_parameter',
        `A notification carries ${notifyPayloadBytes} bytes at most; this one has ${Buffer.byteLength(payload)}`,
      )
    }
    await new Promise<void>((resolve, reject) => {
      waiting.push({ channel, payload, resolve, reject })
      if (!sending) void sendAll()
    })
  }
}
