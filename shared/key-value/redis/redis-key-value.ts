// Key-value and channels on Redis. Two connections, since one that subscribes takes no other commands. An absent Redis keeps
// no process from starting: calls fail with `key_value_unavailable` until it answers.

import type { Redis } from 'ioredis'
import type { Secret } from '../../config/index.ts'
import { SluiceError } from '../../errors/index.ts'
import type { ComponentHealth } from '../../lifecycle/index.ts'
import type { Logger } from '../../telemetry/index.ts'
import type { Clock } from '../../time/index.ts'
import type { Channel, KeyValueStore } from '../key-value.ts'
import { checkKey, checkMessage } from '../limits.ts'
import { createSharedSubscriptions } from '../shared-subscriptions.ts'
import { createSubscribers } from '../subscribers.ts'
import { createRedisConnection, type RedisConnection } from './redis-connection.ts'
import { coded } from './redis-error.ts'
import { createRedisValues } from './redis-values.ts'

export interface RedisKeyValueOptions {
  readonly url: Secret<string>
  readonly connectionName: string
  /** Longest wait for an answer, in milliseconds. Default 2,000. */
  readonly commandTimeoutMs?: number
  /** How long start() waits for the first connection, in milliseconds. Default 5,000. */
  readonly startTimeoutMs?: number
}

export interface RedisKeyValueDeps {
  readonly clock: Clock
  readonly log: Logger
}

type Phase =
  | { readonly name: 'idle' | 'stopped' }
  | { readonly name: 'open'; readonly commands: RedisConnection; readonly subscriptions: RedisConnection }

const prefix = 'sluice:channel:'

export function createRedisKeyValue(options: RedisKeyValueOptions, deps: RedisKeyValueDeps): KeyValueStore {
  const { url, connectionName, commandTimeoutMs = 2_000, startTimeoutMs = 5_000 } = options
  const subscribers = createSubscribers({ log: deps.log })
  const subscribed = new Set<string>()
  let phase: Phase = { name: 'idle' }

  const use = (which: 'commands' | 'subscriptions') => (): Redis => {
    if (phase.name === 'open') return phase[which].client
    throw new SluiceError('key_value_unavailable', 'The key-value store is not started')
  }

  const shared = createSharedSubscriptions(async (name) => {
    const client = use('subscriptions')()
    await client.subscribe(name)
    subscribed.add(name)
    return {
      stop: async () => {
        subscribed.delete(name)
        await client.unsubscribe(name).catch(() => undefined) // without a connection there is no subscription either
      },
    }
  })

  const channel: Channel = {
    publish: async (name, message) => {
      checkKey(name)
      checkMessage(message)
      await coded((async () => await use('commands')().publish(prefix + name, message))())
    },
    subscribe: async (name, onMessage) => {
      checkKey(name)
      const remove = subscribers.add(prefix + name, onMessage)
      try {
        const subscription = await coded(shared.join(prefix + name))
        return {
          stop: async () => {
            remove()
            await subscription.stop()
          },
        }
      } catch (error) {
        remove()
        throw error
      }
    },
  }

  async function start(signal: AbortSignal): Promise<void> {
    const [commands, subscriptions] = await Promise.all([
      createRedisConnection({ url, connectionName, commandTimeoutMs }, deps),
      createRedisConnection({ url, connectionName: `${connectionName}-subscriber`, commandTimeoutMs }, deps),
    ])
    subscriptions.client.on('ready', () => void subscribeAgain(subscriptions.client))
    subscriptions.client.on('message', (name: string, message: string) => subscribers.deliver(name, message))
    phase = { name: 'open', commands, subscriptions }
    try {
      await Promise.all([commands.open(startTimeoutMs, signal), subscriptions.open(startTimeoutMs, signal)])
    } catch (error) {
      await stop()
      throw error
    }
  }

  /** On a new connection. When it breaks meanwhile, or does not answer, the next one is asked. */
  async function subscribeAgain(client: Redis): Promise<void> {
    if (subscribed.size > 0) await client.subscribe(...subscribed).catch(() => client.disconnect(true))
  }

  async function stop(): Promise<void> {
    if (phase.name !== 'open') return
    const { commands, subscriptions } = phase
    phase = { name: 'stopped' }
    await Promise.all([commands.close(), subscriptions.close()])
  }

  function health(): ComponentHealth {
    if (phase.name !== 'open') return { status: 'unknown' }
    const [commands, subscriptions] = [phase.commands.health(), phase.subscriptions.health()]
    return commands.status === 'up' ? subscriptions : commands
  }

  async function probe(): Promise<void> {
    await coded((async () => await use('commands')().ping())())
  }

  return {
    keyValue: createRedisValues(use('commands')),
    channel,
    component: { name: 'key-value', start, stop, health, probe },
  }
}
