// A function as it is deployed – its main.ts, a process, real dependencies – and one piece of work for it that waits for as
// long as the test wants: its first statement waits for a lock that the test holds.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { TestContext } from 'node:test'
import pg from 'pg'
import { deadLetterTopicOf, topics } from '../../../shared/events/index.ts'
import { memoryTenantHeader } from '../../../shared/memory/index.ts'
import { atEnd, createTestDatabase, startChild, until, type ChildOfTest } from '../../support/index.ts'

export interface FunctionCase {
  readonly name: string
  /** A request that the function answers 2xx, and the id under which the drain receipt knows it. */
  readonly work: { readonly path: string; readonly body: object; readonly headers: Readonly<Record<string, string>> }
  readonly receiptId: RegExp
  /** What the work waits for when the test holds it. */
  readonly table: string
  readonly uses: readonly ('kafka' | 'redis')[]
  readonly env?: Readonly<Record<string, string>>
}

const example = (type: string, name: string): object =>
  JSON.parse(
    readFileSync(new URL(`../../../schemas/events/${type}/examples/${name}.json`, import.meta.url), 'utf8'),
  ) as object

function event(type: string, data: object, more: object = {}): FunctionCase['work'] {
  const key = 'shutdown-test'
  const body = {
    specversion: '1.0',
    id: `at-the-end-${randomUUID()}`,
    source: '/test',
    type,
    datacontenttype: 'application/json',
    time: new Date().toISOString(),
    tenant: 'local',
    partitionkey: key,
    data,
    ...more,
  }
  return { path: '/', body, headers: { 'content-type': 'application/cloudevents+json', 'kn-namespace': 'test' } }
}

const json = { 'content-type': 'application/json' }
const tick = event('dev.knative.sources.ping', {})
const eventId = /^at-the-end-/

export const functionCases: readonly FunctionCase[] = [
  {
    name: 'gateway',
    work: { path: '/v1/session/message', body: { message: 'hello' }, headers: json },
    receiptId: /^POST \/v1\/session\/message /,
    table: 'agent.session',
    uses: ['redis', 'kafka'],
  },
  {
    name: 'conversation-worker',
    work: event('conversation.message.received', example('conversation.message.received', 'valid-minimal'), {
      sluicetopic: 'conversation.inbound',
    }),
    receiptId: eventId,
    table: 'sluice.inbox',
    uses: ['redis', 'kafka'],
  },
  {
    name: 'tool-executor',
    work: event('tool.call.requested', example('tool.call.requested', 'valid-calculate'), {
      sluicetopic: 'tool.requests',
    }),
    receiptId: eventId,
    table: 'sluice.inbox',
    uses: ['kafka'],
  },
  {
    name: 'memory-service',
    work: {
      path: '/v1/memory/remember',
      body: { content: 'The sky is blue' },
      headers: { ...json, 'idempotency-key': 'at-the-end', [memoryTenantHeader]: 'local' },
    },
    receiptId: /^POST \/v1\/memory\/remember /,
    table: 'agent.memory_record',
    uses: ['kafka'],
  },
  {
    name: 'memory-replicator',
    work: event('memory.record.written', example('memory.record.written', 'valid-first'), {
      sluicetopic: 'memory.wal',
    }),
    receiptId: eventId,
    table: 'sluice.inbox',
    uses: [],
  },
  {
    name: 'memory-sync',
    work: tick,
    receiptId: eventId,
    table: 'agent.memory_write_outbox',
    uses: [],
    env: { MEMORY_SERVICE_URL: 'http://127.0.0.1:1' },
  },
  {
    name: 'dead-letter-intake',
    work: event('made.up.type', {}, { sluicetopic: deadLetterTopicOf(topics.toolRequests).name }),
    receiptId: eventId,
    table: 'sluice.inbox',
    uses: [],
  },
  { name: 'outbox-sync', work: tick, receiptId: eventId, table: 'agent.turn', uses: ['kafka'] },
]

export const caseOf = (wanted: string): FunctionCase =>
  functionCases.find(({ name }) => name === wanted) ?? assert.fail(`there is no function ${wanted}`)

/** Far above what any drain here needs, and far below what a drain may take. */
export const shutdownTimeoutMs = 20_000

export function launch(t: TestContext, name: string, env: Readonly<Record<string, string>>): ChildOfTest {
  return startChild(t, [`functions/${name}/main.ts`], {
    env: {
      PORT: '0',
      SLUICE_OPERATIONS_PORT: '0',
      MODEL_BASE_URL: 'http://127.0.0.1:1/v1',
      SHUTDOWN_TIMEOUT_MS: String(shutdownTimeoutMs),
      SLUICE_LOCK_TIMEOUT_MS: '60000',
      SLUICE_STATEMENT_TIMEOUT_MS: '120000',
      ...env,
    },
  })
}

export interface RunningFunction extends ChildOfTest {
  readonly url: string
  readonly operationsUrl: string
  record(message: string): Promise<Record<string, unknown>>
  /** Asks it for the work of its case. */
  send(): Promise<number>
}

const startWithinMs = 60_000

export async function start(
  t: TestContext,
  { name, work, env: own = {} }: FunctionCase,
  env: Readonly<Record<string, string>>,
): Promise<RunningFunction> {
  const child = launch(t, name, { ...own, ...env })
  const record = async (message: string): Promise<Record<string, unknown>> =>
    JSON.parse(await child.line(new RegExp(`"message":"${message}"`), { limitMs: startWithinMs })) as Record<
      string,
      unknown
    >
  const { port, operations_port: operationsPort } = await record('ready')
  const url = `http://127.0.0.1:${String(port)}`
  return {
    ...child,
    url,
    operationsUrl: `http://127.0.0.1:${String(operationsPort)}`,
    record,
    send: async () => {
      const init = { method: 'POST', headers: work.headers, body: JSON.stringify(work.body) }
      const answer = await fetch(`${url}${work.path}`, init)
      const text = await answer.text()
      if (answer.status >= 400) t.diagnostic(text)
      return answer.status
    },
  }
}

export interface Lock {
  /** Resolves when somebody waits for the table. */
  waitedFor(): Promise<void>
  release(): Promise<void>
}

/** Keeps everybody from a table until `release`, or the end of the test. */
export async function lockTable(t: TestContext, url: string, table: string): Promise<Lock> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => undefined) // the database is dropped under it at the end
  await client.connect()
  atEnd(t, () => client.end().catch(() => undefined))
  await client.query(`BEGIN; LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE`)
  // Databases made from one template have the same numbers for their tables.
  const waiting = `SELECT count(*)::integer AS waiting FROM pg_locks
    WHERE NOT granted AND relation = $1::regclass
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`
  return {
    waitedFor: async () => {
      const isWaitedFor = async (): Promise<boolean> =>
        ((await client.query<{ waiting: number }>(waiting, [table])).rows[0]?.waiting ?? 0) > 0
      await until(`somebody waits for ${table}`, isWaitedFor, { limitMs: 60_000, everyMs: 20 })
    },
    release: async () => void (await client.query('COMMIT')),
  }
}

export const databaseUrl = async (t: TestContext): Promise<string> => (await createTestDatabase(t)).url
