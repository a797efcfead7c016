// One connection to Redis that mends itself. Commands fail at once while it is down and after a bounded wait when the server
// does not answer; none is ever sent twice.

import type { Redis } from 'ioredis'
import type { Secret } from '../../config/index.ts'
import { messageOf, SluiceError } from '../../errors/index.ts'
import type { ComponentHealth } from '../../lifecycle/index.ts'
import type { Logger } from '../../telemetry/index.ts'
import { backoffDelay, type Clock } from '../../time/index.ts'

export interface RedisConnectionOptions {
  readonly url: Secret<string>
  /** Shown by CLIENT LIST. */
  readonly connectionName: string
  /** Longest wait for an answer, in milliseconds. */
  readonly commandTimeoutMs: number
}

export interface RedisConnection {
  readonly client: Redis
  /** Resolves when connected, or after `waitMs`: an absent Redis must not keep a process from starting. */
  open(waitMs: number, signal: AbortSignal): Promise<void>
  close(): Promise<void>
  health(): ComponentHealth
}

const pingEveryMs = 5_000
const reconnect = { firstMs: 100, maxMs: 2_000 }
const connectTimeoutMs = 3_000
const closeTimeoutMs = 1_000
/** ioredis sets this timer also for a connection that is closed already, and nothing then cancels it. */
const disconnectTimeoutMs = 200

/** Loads ioredis, so that a process without Redis does not carry it. */
export async function createRedisConnection(
  { url, connectionName, commandTimeoutMs }: RedisConnectionOptions,
  { clock, log }: { readonly clock: Clock; readonly log: Logger },
): Promise<RedisConnection> {
  const ioredis = await import('ioredis')
  const client = new ioredis.Redis(url.reveal(), {
    connectionName,
    connectTimeout: connectTimeoutMs,
    disconnectTimeout: disconnectTimeoutMs,
    commandTimeout: commandTimeoutMs,
    lazyConnect: true,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false, // nobody would be told when it fails, and it would not be tried again
    retryStrategy: (attempt) => 1 + backoffDelay(reconnect, attempt, Math.random),
  })
  let health: ComponentHealth = { status: 'unknown' }
  let refused: Error | undefined
  let pinging = { cancel: (): void => undefined }
  let closed = false

  client.on('ready', () => {
    if (health.status === 'down') log.info({ connection: connectionName }, 'Redis answers again')
    health = { status: 'up', at: clock.now() }
    refused = undefined
  })
  client.on('error', (error: Error) => {
    if (isRefusal(error)) refused = error
    if (health.status !== 'down')
      log.warn({ connection: connectionName, reason: error.message }, 'Redis does not answer')
    health = { status: 'down', at: clock.now(), error: 'key_value_unavailable' }
  })
  client.on('close', () => {
    health = { status: 'down', at: clock.now(), error: 'key_value_unavailable' }
  })

  /** A server that vanished sends nothing; only a question shows it. */
  function schedulePing(): void {
    pinging = clock.after(pingEveryMs, () => void ping(), { unref: true })
  }

  async function ping(): Promise<void> {
    try {
      if (client.status === 'ready') await client.ping()
    } catch {
      client.disconnect(true)
    }
    if (!closed) schedulePing()
  }

  return {
    client,
    open: async (waitMs, signal) => {
      signal.throwIfAborted()
      const settled = new AbortController()
      client.once('ready', () => settled.abort())
      client.connect().catch(() => undefined) // the retry strategy goes on; 'error' told why
      await clock.sleep(waitMs, AbortSignal.any([signal, settled.signal])).catch(() => undefined)
      signal.throwIfAborted()
      if (refused !== undefined)
        throw new SluiceError('start_failed', `Redis refuses the credentials: ${messageOf(refused)}`, {
          cause: refused,
        })
      schedulePing()
    },
    close: async () => {
      closed = true
      pinging.cancel()
      const timer = clock.after(closeTimeoutMs, () => client.disconnect())
      await client.quit().catch(() => undefined) // sent after every command under way
      timer.cancel()
      client.disconnect()
    },
    health: () => health,
  }
}

const isRefusal = (error: Error): boolean => /WRONGPASS|NOAUTH|invalid password/.test(error.message)
