// The outbox of one process: stores emitted events in the transaction of their effects, and publishes them after COMMIT.
//
//   store (in the transaction) ──COMMIT──▶ publish: one loop, until nothing waits
//     key idle: stored with a lease          appends from memory, marks
//     key in use, log away, memory full      claims what was noted, appends, marks
//
// O1  publish() never fails and never delays an answer. What it does not get done (the log is away, another process has the
//     key, the process dies) the relay of outbox-sync does, after the lease if there is one; rows are never lost, because they are
//     claimed by state.
// O2  One loop a process: while a round is under way further events gather and share the next append.
// O3  stop() publishes what waits, within its time limit, and leaves the rest to the relay at once: only what is being appended then
//     keeps its leases.
// O4  A transaction that is rolled back leaves nothing. One whose COMMIT was not answered may leave a leased key.

import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Database, Queryable } from '../../database/index.ts'
import { errorLabel, messageOf } from '../../errors/index.ts'
import type { EventLog } from '../../event-log/index.ts'
import type { Component, ComponentHealth, Failpoints } from '../../lifecycle/index.ts'
import type { Instruments, Logger, Tracer } from '../../telemetry/index.ts'
import type { Clock } from '../../time/index.ts'
import { outboxChannel } from '../channels.ts'
import { failpoint } from '../failpoints.ts'
import { distinctKeys, keysOfClaim, type OutboxKey } from './claim.ts'
import type { Emission } from './emission.ts'
import { createLeases } from './leases.ts'
import { createPublisher, leaseUsableMs, type Published, type Publisher } from './publisher.ts'
import { storeEmitted } from './store-emitted.ts'

export interface Outbox extends Component {
  /** The last write of a transaction, since it holds the keys' rows until COMMIT, with which it travels when it is not awaited. */
  store(tx: Queryable, emitted: readonly Emission[]): Promise<void>
  /** After COMMIT. Returns at once. */
  publish(emitted: readonly Emission[]): void
  /** Publishes some rows of anybody; returns how many. @throws what the log or the database threw. */
  relay(): Promise<number>
}

export interface OutboxOptions {
  /** How long stop() may go on publishing, in milliseconds. Default 5,000. */
  readonly stopTimeoutMs?: number
}

export interface OutboxDeps {
  readonly database: Database
  /** Without one, the process stores and leaves publishing to the relay. */
  readonly eventLog?: EventLog | undefined
  readonly clock: Clock
  readonly log: Logger
  readonly instruments: Instruments
  readonly failpoints: Failpoints
  readonly random: () => number
  /** Default: nobody records spans. */
  readonly tracer?: Tracer
}

/** Keys that wait for a claim of this process. While the log is away from it alone they would be ever more; the relay finds the rest. */
const mostNoted = 10_000

export function createOutbox({ stopTimeoutMs = 5_000 }: OutboxOptions, deps: OutboxDeps): Outbox {
  const { database, eventLog, clock, log, instruments, failpoints } = deps
  const publisher = eventLog === undefined ? undefined : createPublisher({ ...deps, eventLog })
  const leases = createLeases({ usableMs: leaseUsableMs }, deps)
  let noted: OutboxKey[] = []
  let running: Promise<void> | undefined
  let health: ComponentHealth = { status: 'unknown' }
  let fails = false // since then nothing was published

  async function round(path: 'fast' | 'relay', publishing: Promise<Published>): Promise<Published> {
    try {
      const published = await publishing
      instruments.outboxPublished.inc({ path }, published.rows)
      if (published.rows > 0) fails = false // a claim that found nothing tells nothing of the log
      if (health.status === 'down') log.info('events are published again')
      health = { status: 'up', at: clock.now() }
      return published
    } catch (error) {
      instruments.outboxFailures.inc()
      fails = true
      if (health.status !== 'down')
        log.warn({ reason: messageOf(error) }, 'events cannot be published; they wait in the outbox')
      health = { status: 'down', at: clock.now(), error: errorLabel(error) }
      throw error
    }
  }

  async function publishAll(own: Publisher): Promise<void> {
    for (;;) {
      const rows = leases.next()
      if (rows.length > 0) await ownRound(own.publishLeased(rows))
      const keys = distinctKeys(noted)
      noted = keys.slice(keysOfClaim)
      if (keys.length > 0) await ownRound(own.publishClaimed(keys.slice(0, keysOfClaim)))
      if (rows.length === 0 && keys.length === 0) break
    }
    running = undefined
  }

  async function giveBackAll(own: Publisher): Promise<void> {
    for (let rows = leases.next(); rows.length > 0; rows = leases.next()) await own.giveBack(rows)
  }

  /** A failure is logged; the relay takes over. */
  const ownRound = async (publishing: Promise<Published>): Promise<void> => {
    const published = await round('fast', publishing).catch(() => undefined)
    noted.push(...(published?.more ?? []))
  }

  return {
    name: 'outbox',
    start: async () => undefined,
    stop: async () => {
      await nextTurn()
      const end = new AbortController()
      await Promise.race([running, clock.sleep(stopTimeoutMs, end.signal).catch(() => undefined)])
      end.abort()
      if (publisher !== undefined) await giveBackAll(publisher).catch(() => undefined) // the leases run out instead
    },
    health: () => health,
    store: async (tx, emitted) => {
      if (emitted.length === 0) return
      // While the log fails, a lease would only keep the relay waiting.
      const lease = publisher === undefined || fails ? undefined : leases.offer(emitted)
      const sequences = await storeEmitted(tx, emitted, lease?.token)
      if (lease !== undefined) leases.granted(emitted, sequences, lease)
    },
    publish: (emitted) => {
      if (emitted.length === 0) return
      failpoints(failpoint.outboxAfterCommit)
      if (publisher === undefined) {
        database.notify(outboxChannel).catch(() => undefined) // the relay also looks by itself
      } else {
        // COMMIT was answered after the store, but maybe heard of before it; in the next turn both are.
        setImmediate(() => {
          const rest = leases.add(emitted)
          if (noted.length < mostNoted) noted.push(...rest)
          running ??= publishAll(publisher)
        })
      }
    },
    relay: async () => {
      if (publisher === undefined) return 0
      return (await round('relay', publisher.publishClaimed())).rows
    },
  }
}
