// Publishes in batches: while one statement is under way the next messages gather, so a stream of small deltas costs far
// fewer statements than messages, and order is call order. A batch that fails fails its callers; nothing is sent twice.

import { randomUUID } from 'node:crypto'
import type { Queryable } from '../../database/index.ts'
import { checkMessage } from '../limits.ts'
import { fits, packItems, type Item } from './notification.ts'
import { coded } from './store-error.ts'

interface Waiting {
  readonly channel: string
  readonly message: string
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/** A batch takes messages until it has this many, or this many bytes. */
const batchMessages = 500
const batchBytes = 1_048_576

const notify = 'SELECT count(pg_notify(lane, payload)) FROM unnest($1::text[], $2::text[]) AS pack (lane, payload)'
// Both in one statement: the row is there when the notification arrives.
const storeAndNotify = `
  WITH stored AS (
    INSERT INTO sluice.channel_message (id, body) SELECT id, body FROM unnest($3::uuid[], $4::bytea[]) AS long (id, body)
  ) ${notify}`

export function createPostgresPublisher({
  database,
}: {
  readonly database: Queryable
}): (channel: string, message: string) => Promise<void> {
  const waiting: Waiting[] = []
  let sending = false
  let packs = 0

  async function sendAll(): Promise<void> {
    sending = true
    while (waiting.length > 0) {
      const batch = takeBatch(waiting)
      try {
        await coded(send(batch))
        for (const { resolve } of batch) resolve()
      } catch (error) {
        for (const { reject } of batch) reject(error)
      }
    }
    sending = false
  }

  async function send(batch: readonly Waiting[]): Promise<void> {
    const long: { id: string; message: string }[] = []
    const items = batch.map(({ channel, message }): Item => {
      const item = { channel, body: { text: message } }
      if (fits(item)) return item
      const id = randomUUID()
      long.push({ id, message })
      return { channel, body: { id } }
    })
    const sent = packItems(items, () => (packs += 1))
    const lanesAndPayloads = [sent.map(({ lane }) => lane), sent.map(({ payload }) => payload)]
    if (long.length === 0) await database.query(notify, lanesAndPayloads)
    else
      await database.query(storeAndNotify, [
        ...lanesAndPayloads,
        long.map(({ id }) => id),
        long.map(({ message }) => Buffer.from(message)),
      ])
  }

  return async (channel, message) => {
    checkMessage(message)
    await new Promise<void>((resolve, reject) => {
      waiting.push({ channel, message, resolve, reject })
      if (!sending) void sendAll()
    })
  }
}

function takeBatch(waiting: Waiting[]): readonly Waiting[] {
  let bytes = 0
  const count = waiting.findIndex(({ message }, at) => {
    bytes += message.length
    return at > 0 && (at >= batchMessages || bytes > batchBytes)
  })
  return waiting.splice(0, count === -1 ? waiting.length : count)
}
