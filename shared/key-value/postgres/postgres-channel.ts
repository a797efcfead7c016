// Channels over LISTEN and NOTIFY. Subscribers of one lane share a LISTEN. A message whose body must be fetched holds up the
// later ones of its lane, so that order is kept.

import type { Database, Subscription } from '../../database/index.ts'
import { messageOf } from '../../errors/index.ts'
import type { Logger } from '../../telemetry/index.ts'
import type { Channel } from '../key-value.ts'
import { checkKey } from '../limits.ts'
import { createSubscribers } from '../subscribers.ts'
import { laneOf, unpackItems, type Item } from './notification.ts'
import { createPostgresPublisher } from './postgres-publisher.ts'
import { coded } from './store-error.ts'

interface Lane {
  users: number
  readonly listening: Promise<Subscription>
  /** The end of what was received so far. */
  delivered: Promise<void>
}

export interface PostgresChannel extends Channel {
  stop(): Promise<void>
}

export function createPostgresChannel({
  database,
  log,
}: {
  readonly database: Database
  readonly log: Logger
}): PostgresChannel {
  const subscribers = createSubscribers({ log })
  const publish = createPostgresPublisher({ database })
  const lanes = new Map<string, Lane>()

  function openLane(name: string): Lane {
    const lane: Lane = {
      users: 0,
      listening: database.listen(name, (payload) => receive(lane, payload)),
      delivered: Promise.resolve(),
    }
    lanes.set(name, lane)
    return lane
  }

  function receive(lane: Lane, payload: string): void {
    const items = unpackItems(payload).filter(({ channel }) => subscribers.has(channel))
    if (items.length > 0) lane.delivered = lane.delivered.then(() => deliverAll(items))
  }

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
      const { rows } = await database.query<{ id: string; body: Buffer }>(
        'SELECT id, body FROM sluice.channel_message WHERE id = ANY ($1::uuid[])',
        [ids],
      )
      return new Map(rows.map(({ id, body }) => [id, body.toString('utf8')]))
    } catch (error) {
      log.warn({ reason: messageOf(error), messages: ids.length }, 'messages of a channel are missed')
      return new Map()
    }
  }

  async function leave(name: string, lane: Lane): Promise<void> {
    lane.users -= 1
    if (lane.users > 0 || lanes.get(name) !== lane) return
    lanes.delete(name)
    const listening = await lane.listening.catch(() => undefined)
    await listening?.stop()
  }

  return {
    publish: async (channel, message) => {
      checkKey(channel)
      await publish(channel, message)
    },
    subscribe: async (channel, onMessage) => {
      checkKey(channel)
      const name = laneOf(channel)
      const lane = lanes.get(name) ?? openLane(name)
      lane.users += 1
      const remove = subscribers.add(channel, onMessage)
      let stopped: Promise<void> | undefined
      const stop = (): Promise<void> => {
        remove()
        return (stopped ??= leave(name, lane))
      }
      try {
        await coded(lane.listening)
        return { stop }
      } catch (error) {
        await stop()
        throw error
      }
    },
    stop: async () => {
      const open = [...lanes.values()]
      lanes.clear()
      for (const { listening } of open) await (await listening.catch(() => undefined))?.stop()
    },
  }
}
