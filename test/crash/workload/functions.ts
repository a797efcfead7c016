// The two functions of the workload, chained by an event:
//
//   tool.requests ──▶ counter (transaction: adds to a counter) ──tool.results──▶ banker (steps: charges, books, counts) ──▶ …
//
// They wear event types and topics of the platform, so that everything around them is the real thing.

import type { Transaction } from '../../../shared/database/index.ts'
import { RejectedError } from '../../../shared/errors/index.ts'
import {
  conversationTurnProgressed,
  toolCallFinished,
  toolCallRequested,
  topics,
  type CloudEvent,
  type ToolCallFinished,
  type ToolCallRequested,
} from '../../../shared/events/index.ts'
import { defineFunction, type Handler } from '../../../shared/function/index.ts'
import type { Actor, BankCall, Conduct } from '../history/history.ts'

const shared = {
  purpose: 'Counts under fire',
  ordering: 'key',
  delivery: { attempts: 8, backoff: { firstMs: 50, maxMs: 1_000 }, timeoutMs: 20_000 },
  scale: { min: 0, max: 10, concurrency: 50 },
} as const

export const counter = defineFunction({
  ...shared,
  name: 'counter',
  consumes: [{ topic: topics.toolRequests, type: toolCallRequested }],
  produces: [{ topic: topics.toolResults, type: toolCallFinished }],
  execution: 'transaction',
  needs: ['postgres', 'kafka'],
})

export const banker = defineFunction({
  ...shared,
  name: 'banker',
  consumes: [{ topic: topics.toolResults, type: toolCallFinished }],
  produces: [{ topic: topics.conversationOutbound, type: conversationTurnProgressed }],
  execution: 'steps',
  needs: ['postgres', 'kafka'],
})

export interface Order {
  readonly number: number
  readonly amount: number
  readonly conduct: Conduct
}

export interface WorkloadDeps {
  /** Told of each run before it does anything, by a record that survives the process. */
  readonly onRun: (run: { readonly actor: Actor; readonly id: string; readonly attempt: number }) => void
  /** @throws when the bank refused or was not heard. */
  readonly callBank: (call: Omit<BankCall, 'applied'>, signal: AbortSignal) => Promise<void>
  readonly pid: number
}

export const tablesSql = `
CREATE SCHEMA IF NOT EXISTS crash;
CREATE TABLE IF NOT EXISTS crash.counter (actor text, key text, value bigint NOT NULL, version bigint NOT NULL, PRIMARY KEY (actor, key)) WITH (fillfactor = 50);
CREATE TABLE IF NOT EXISTS crash.effect (actor text NOT NULL, id text NOT NULL, origin text NOT NULL, key text NOT NULL,
  amount bigint NOT NULL, version bigint, pid integer NOT NULL, emitted text, at timestamptz NOT NULL DEFAULT clock_timestamp())`

const countSql = `INSERT INTO crash.counter AS c (actor, key, value, version) VALUES ($1, $2, $3, 1)
ON CONFLICT (actor, key) DO UPDATE SET value = c.value + excluded.value, version = c.version + 1 RETURNING version`
const effectSql = `INSERT INTO crash.effect (actor, id, origin, key, amount, version, pid, emitted) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`

async function count(tx: Transaction, actor: Actor, by: { readonly key: string; readonly amount: number }) {
  const { rows } = await tx.query<{ version: number }>(countSql, [actor, by.key, by.amount])
  return rows[0]?.version ?? 0
}

export function createCounter({ onRun, pid }: WorkloadDeps): Handler<typeof counter> {
  return async (event: CloudEvent<string, ToolCallRequested>, { tx, emit, attempt }) => {
    onRun({ actor: 'counter', id: event.id, attempt })
    const { session_id: key, turn_id, call_id, tool } = event.data
    const { amount, conduct, number } = event.data.arguments as unknown as Order
    const version = await count(tx, 'counter', { key, amount })
    const result = { number, amount }
    const finished: ToolCallFinished = { session_id: key, turn_id, call_id, tool, status: 'succeeded', result }
    const emitted = emit(toolCallFinished, finished, { key })
    await tx.query(effectSql, ['counter', event.id, event.id, key, amount, version, pid, emitted])
    // After its writes, so that a rollback that does not happen shows.
    if (conduct === 'reject') throw new RejectedError({ reason: 'poison' })
    if (conduct === 'exhaust' || (conduct === 'fail-once' && attempt === 1)) throw new Error('fails')
  }
}

const notifyEvery = 5
const bookEvery = 3

export function createBanker({ onRun, callBank, pid }: WorkloadDeps): Handler<typeof banker> {
  return async (event: CloudEvent<string, ToolCallFinished>, { step, transaction, commit, attempt }) => {
    onRun({ actor: 'banker', id: event.id, attempt })
    const { session_id: key, turn_id, call_id: origin, tool } = event.data
    const { amount, number } = event.data.result as { readonly amount: number; readonly number: number }
    const call = { origin, amount }
    await step('charge', { effect: 'idempotent' }, ({ idempotencyKey, signal }) =>
      callBank({ ...call, step: 'charge', idempotencyKey }, signal),
    )
    if (number % notifyEvery === 0) {
      await step('notify', { effect: 'once' }, ({ idempotencyKey, signal }) =>
        callBank({ ...call, step: 'notify', idempotencyKey }, signal),
      )
    }
    if (number % bookEvery === 0) {
      await transaction('book', async ({ tx }) => {
        await tx.query(effectSql, ['booking', event.id, origin, key, amount, null, pid, null])
      })
    }
    await commit(async ({ tx, emit }) => {
      const version = await count(tx, 'banker', { key, amount })
      const progress = { session_id: key, turn_id, phase: 'tool-finished', call_id: origin, tool } as const
      const emitted = emit(conversationTurnProgressed, progress, { key })
      await tx.query(effectSql, ['banker', event.id, origin, key, amount, version, pid, emitted])
    })
  }
}
