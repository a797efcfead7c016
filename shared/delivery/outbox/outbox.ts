// The outbox of one process: stores emitted events in the transaction of their effects, and publishes them after COMMIT.
//
//   store (in the transaction) ──COMMIT──▶ publish: the key is noted ──▶ one loop claims, appends, marks, until no key is noted
//
// O1  publish() never fails and never delays an answer. What it does not get done (the log is away, another process has the
//     key, the process dies) the relay of outbox-sync does; rows are never lost, because they are claimed by state.
// O2  One loop a process: while a round is under way further keys gather and share the next claim and append.
// O3  stop() publishes what is noted, within its time limit.

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
import { createPublisher } from './publisher.ts'

export interface Outbox extends Component {
  /** The last write of a transaction, since it holds the keys' rows until COMMIT, with which it travels when it is not awaited. */
  store(tx: Queryable, emitted: readonly Emission[]): Promise<void>
  /** After COMMIT. Returns at once. */
  publish(emitted: readonly OutboxKey[]): void
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

const storeOneStatement = {
  name: 'sluice.emit_one',
  text: 'SELECT sluice.emit_one(p_topic => $1, p_key => $2, p_id => $3, p_tenant => $4, p_event => $5)',
}

const storeStatement = {
  name: 'sluice.emit',
  text: 'SELECT sluice.emit(p_topics => $1, p_keys => $2, p_ids => $3, p_tenants => $4, p_events => $5)',
}

export function createOutbox({ stopTimeoutMs = 5_000 }: OutboxOptions, deps: OutboxDeps): Outbox {
  const { database, eventLog, clock, log, instruments, failpoints } = deps
  const publisher = eventLog === undefined ? undefined : createPublisher({ ...deps, eventLog })
  let noted: OutboxKey[] = []
  let running: Promise<void> | undefined
  let health: ComponentHealth = { status: 'unknown' }

  async function round(keys: readonly OutboxKey[], path: 'fast' | 'relay'): Promise<number> {
    if (publisher === undefined) return 0
    try {
      const { rows, more } = await publisher.publishOnce(path === 'fast' ? keys : undefined)
      instruments.outboxPublished.inc({ path }, rows)
      if (path === 'fast') noted.push(...more)
      if (health.status === 'down') log.info('events are published again')
      health = { status: 'up', at: clock.now() }
      return rows
    } catch (error) {
      instruments.outboxFailures.inc()
      if (health.status !== 'down')
        log.warn({ reason: messageOf(error) }, 'events cannot be published; they wait in the outbox')
      health = { status: 'down', at: clock.now(), error: errorLabel(error) }
      throw error
    }
  }

  async function publishNoted(): Promise<void> {
    while (noted.length > 0) {
      const keys = distinctKeys(noted)
      noted = keys.slice(keysOfClaim)
      // The failure is logged; the relay takes over.
      await round(keys.slice(0, keysOfClaim), 'fast').catch(() => undefined)
    }
    running = undefined
  }

  return {
    name: 'outbox',
    start: async () => undefined,
    stop: async () => {
      const end = new AbortController()
      await Promise.race([running, clock.sleep(stopTimeoutMs, end.signal).catch(() => undefined)])
      end.abort()
    },
    health: () => health,
    store: async (tx, emitted) => {
      const [first] = emitted
      if (first === undefined) return
      if (emitted.length === 1) {
        await tx.query(storeOneStatement, [first.topic, first.key, first.id, first.tenant, first.json])
        return
      }
      await tx.query(storeStatement, [
        emitted.map(({ topic }) => topic),
        emitted.map(({ key }) => key),
        emitted.map(({ id }) => id),
        emitted.map(({ tenant }) => tenant),
        emitted.map(({ json }) => json),
      ])
    },
    publish: (emitted) => {
      if (emitted.length === 0) return
      failpoints(failpoint.outboxAfterCommit)
      if (publisher === undefined) {
        database.notify(outboxChannel).catch(() => undefined) // the relay also looks by itself
      } else {
        noted.push(...emitted)
        running ??= publishNoted()
      }
    },
    relay: () => round([], 'relay'),
  }
}
