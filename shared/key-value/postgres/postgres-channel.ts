// Channels over LISTEN and NOTIFY. Subscribers of one lane share a LISTEN. A message whose body must be fetched holds up the
// later ones of its lane, so that order is kept.

import type { Database } from '../../database/index.ts'
import { messageOf } from '../../errors/index.ts'
import type { Logger } from '../../telemetry/index.ts'
import type { Channel } from '../key-value.ts'
import { checkKey } from '../limits.ts'
import { createSharedSubscriptions } from '../shared-subscriptions.ts'
import { createSubscribers } from '../subscribers.ts'
import { laneOf, unpackItems, type Item } from './notification.ts'
import { createPostgresPublisher } from './postgres-publisher.ts'
import { coded } from './store-error.ts'

export interface PostgresChannel extends Channel {
  stop(): Promise<void>
}

const selectBodies = 'SELECT id, body FROM sluice.channel_message WHERE id = ANY ($1::uuid[])'

export function createPostgresChannel({
  database,
  log,
}: {
  readonly database: Database
  readonly log: Logger
}): PostgresChannel {
  const subscribers = createSubscribers({ log })
  const publish = createPostgresPublisher({ database })
  const lanes = createSharedSubscriptions((lane) => {
    let delivered = Promise.resolve()
    return database.listen(lane, (payload) => {
      const items = unpackItems(payload).filter(({ channel }) => subscribers.has(channel))
      if (items.length > 0) delivered = delivered.then(() => deliverAll(items))
    })
  })

  async function deliverAll(items: readonly Item[]): Promise<void> {
    const bodies = await fetchBodies(items.flatMap(({ body }) => ('id' in body ? [body.id] : [])))
    for (const { channel, body } of items) {
      const message = 'text' in body ? body.text : bodies.get(body.id)
      if (message !== undefined) subscribers.deliver(channel, message)
    }
  }

  async function fetchBodies(ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
    if (ids.length === 0) return new Map()
    try {
      const { rows } = await database.query<{ id: string; body: Buffer }>(selectBodies, [ids])
      return new Map(rows.map(({ id, body }) => [id, body.toString('utf8')]))
    } catch (error) {
      log.warn({ reason: messageOf(error), messages: ids.length }, 'messages of a channel are missed')
      return new Map()
    }
  }

  return {
    publish: async (channel, message) => {
      checkKey(channel)
      await publish(channel, message)
    },
    subscribe: async (channel, onMessage) => {
      checkKey(channel)
      const remove = subscribers.add(channel, onMessage)
      try {
        const lane = await coded(lanes.join(laneOf(channel)))
        return {
          stop: async () => {
            remove()
            await lane.stop()
          },
        }
      } catch (error) {
        remove()
        throw error
      }
    },
    stop: () => lanes.stop(),
  }
}
