// The one LISTEN connection of a process.
//
//   idle ──first listen()──▶ connecting ──LISTEN answered──▶ live ──error, end, or no answer to a ping──▶ waiting
//                                ▲                                                                           │
//                                └───────────────────── back-off, full jitter ◀──────────────────────────────┘
//   any ──stop()──▶ closed
//
// L1  A listener that was told "in effect" hears '' after every interruption: what was sent meanwhile is lost.
// L2  A dead socket is noticed within pingEveryMs + pingTimeoutMs, although nothing is ever sent to it.
// L3  A listener that throws stops neither the connection nor the other listeners.

import { Client, escapeIdentifier, type ClientConfig, type QueryConfig } from 'pg'
import type { Logger } from '../telemetry/index.ts'
import { messageOf } from '../errors/index.ts'
import { backoffDelay, type Clock } from '../time/index.ts'
import { unavailable } from './database-errors.ts'
import type { Subscription } from './queryable.ts'

export interface ListenerOptions {
  readonly config: ClientConfig
  readonly connectTimeoutMs: number
}

export interface ChannelListener {
  listen(channel: string, onNotify: (payload: string) => void): Promise<Subscription>
  stop(): Promise<void>
}

type OnNotify = (payload: string) => void

type Phase =
  | { readonly name: 'idle' | 'connecting' | 'waiting' | 'closed' }
  | { readonly name: 'live'; readonly client: Client }

const pingEveryMs = 5_000
const pingTimeoutMs = 5_000
const backoff = { firstMs: 200, maxMs: 5_000 }

export function createChannelListener(
  { config, connectTimeoutMs }: ListenerOptions,
  { clock, log }: { readonly clock: Clock; readonly log: Logger },
): ChannelListener {
  const channels = new Map<string, Set<OnNotify>>()
  const closing = new AbortController()
  const closed = new Promise<never>((_, reject) =>
    closing.signal.addEventListener('abort', () => reject(unavailable(new Error('the database handle is stopped')))),
  )
  closed.catch(() => undefined)
  let phase: Phase = { name: 'idle' }
  let wakeWaiters: ((error?: unknown) => void)[] = []
  let running: Promise<void> = Promise.resolve()

  async function run(): Promise<void> {
    for (let failures = 0, lives = 0; !closing.signal.aborted;) {
      const client = new Client({ ...config, application_name: `${config.application_name ?? ''} listener` })
      const ended = endOf(client)
      try {
        await Promise.race([client.connect(), closed])
        client.on('notification', ({ channel, payload = '' }) => deliver(channel, payload))
        await listenToAll(client)
        phase = { name: 'live', client }
        failures = 0
        settleWaiters()
        if ((lives += 1) > 1) for (const channel of channels.keys()) deliver(channel, '')
        await Promise.race([ended, pingUntilDead(client)])
      } catch (error) {
        if (failures === 0 && !closing.signal.aborted)
          log.warn({ reason: messageOf(error) }, 'nothing is listened to: the connection is lost')
        failures += 1
      }
      phase = { name: closing.signal.aborted ? 'closed' : 'waiting' }
      client.end().catch(() => undefined)
      await clock.sleep(backoffDelay(backoff, failures, Math.random), closing.signal).catch(() => undefined)
    }
  }

  /** Channels may be added while LISTEN is under way; none may be left out when the phase becomes live. */
  async function listenToAll(client: Client): Promise<void> {
    const done = new Set<string>()
    for (;;) {
      const missing = [...channels.keys()].filter((channel) => !done.has(channel))
      if (missing.length === 0) return
      await listenTo(client, missing)
      for (const channel of missing) done.add(channel)
    }
  }

  async function pingUntilDead(client: Client): Promise<never> {
    for (;;) {
      await clock.sleep(pingEveryMs, closing.signal)
      await client.query({ text: 'SELECT 1', query_timeout: pingTimeoutMs } as QueryConfig)
    }
  }

  function deliver(channel: string, payload: string): void {
    for (const onNotify of channels.get(channel) ?? []) {
      try {
        onNotify(payload)
      } catch (error) {
        log.error({ channel, reason: messageOf(error) }, 'a notification listener failed')
      }
    }
  }

  function settleWaiters(): void {
    const waiters = wakeWaiters
    wakeWaiters = []
    for (const wake of waiters) wake()
  }

  /** Resolves at the next change to live; rejects after the connect timeout. */
  const nextLive = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const timer = clock.after(connectTimeoutMs, () =>
        reject(unavailable(new Error(`no LISTEN within ${connectTimeoutMs} ms`))),
      )
      wakeWaiters.push(() => {
        timer.cancel()
        resolve()
      })
    })

  async function ensureListening(channel: string): Promise<void> {
    if (closing.signal.aborted) throw unavailable(new Error('the database handle is stopped'))
    if (phase.name === 'idle') {
      phase = { name: 'connecting' }
      running = run()
    }
    if (phase.name !== 'live') return Promise.race([nextLive(), closed]) // the reconnect listens to every registered channel
    const { client } = phase
    await listenTo(client, [channel]).catch(async () => {
      await Promise.race([nextLive(), closed])
    })
  }

  return {
    listen: async (channel, onNotify) => {
      const listeners = channels.get(channel) ?? new Set()
      channels.set(channel, listeners)
      // Wrapped, so that the same function may listen twice.
      const own: OnNotify = (payload) => onNotify(payload)
      listeners.add(own)
      const remove = (): void => {
        listeners.delete(own)
        if (listeners.size > 0 || channels.get(channel) !== listeners) return
        channels.delete(channel)
        if (phase.name === 'live') phase.client.query(`UNLISTEN ${escapeIdentifier(channel)}`).catch(() => undefined)
      }
      try {
        await ensureListening(channel)
      } catch (error) {
        remove()
        throw error
      }
      return { stop: async () => remove() }
    },
    stop: async () => {
      closing.abort(new Error('stopped'))
      await running
    },
  }
}

async function listenTo(client: Client, channels: readonly string[]): Promise<void> {
  await client.query(channels.map((channel) => `LISTEN ${escapeIdentifier(channel)}`).join('; '))
}

/** Rejects when the connection breaks or ends; never resolves. The listeners also keep 'error' from ending the process. */
function endOf(client: Client): Promise<never> {
  const end = new Promise<never>((_, reject) => {
    client.on('error', reject)
    client.on('end', () => reject(new Error('the connection ended')))
  })
  end.catch(() => undefined)
  return end
}
