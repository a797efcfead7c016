// One poisoned and one hot key in a partition: what the others notice. A real function process, an ordered KafkaSource on one
// partition, a lane driver. Rounds with and without the two keys follow each other, so that whatever else this machine does
// falls on both alike.

import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import { test, type TestContext } from 'node:test'
import { createHttpSender, createKafkaSource, upstreamTiming } from '../../../../local/kafka-source/index.ts'
import { createLaneDriver } from '../../../../shared/delivery/index.ts'
import { encodeRecord } from '../../../../shared/events/index.ts'
import { atEnd, startChild, until } from '../../../support/index.ts'
import { createWorkbench, type Workbench } from '../workbench.ts'

const topic = 'conversation.inbound'
/** Events of a round. */
const events = { other: 20, hot: 20, poison: 3 } as const
/**
 * The share of what the partition takes at this moment that the other keys are offered: an ordered source delivers one record at
 * a time, so in a partition that is offered more than it takes everybody waits, whatever the keys are.
 */
const load = 0.12
const roundMs = { least: 1_000, most: 5_000 } as const
const otherKeys = 20
/** Events that show what the partition takes. */
const burst = 60
/** Pairs of rounds; more when the first ones are over the limit, because this machine may have hiccups of its own. */
const pairs = 5
const mostPairs = 15
/** Below this a difference is that of the clocks and timers, in milliseconds. */
const resolutionMs = 2
const limit = 2

type Kind = keyof typeof events

interface Sent {
  readonly id: string
  readonly kind: Kind
  readonly sentAt: number
}

const script = new URL('function-process.ts', import.meta.url).pathname

async function startWorld(t: TestContext, execution: 'transaction' | 'steps'): Promise<Workbench> {
  const bench = await createWorkbench(t, { topics: [{ name: topic, partitions: 1 }] })
  await bench.database.query('CREATE TABLE effect (id text, at timestamptz NOT NULL DEFAULT clock_timestamp())')
  const env = {
    TEST_EXECUTION: execution,
    DATABASE_URL: bench.url,
    PORT: '0',
    SLUICE_OPERATIONS_PORT: '0',
    LOG_LEVEL: 'silent',
  }
  const line = await startChild(t, [script], { env }).line(/serving on \d+/)
  const url = `http://127.0.0.1:${/\d+$/.exec(line)?.[0]}/`
  const driver = createLaneDriver({ functionUrl: () => url }, bench)
  atEnd(t, () => driver.stop())
  await driver.start(AbortSignal.timeout(10_000))
  const source = createKafkaSource(
    { source: sourceTo(url), ...upstreamTiming, wake: 'append', pollEveryMs: 50 },
    {
      log: bench.eventLog,
      sender: createHttpSender({ clock: bench.clock }),
      clock: bench.clock,
      logger: bench.log,
      spanId: () => randomBytes(8).toString('hex'),
    },
  )
  atEnd(t, () => source.stop())
  await source.start(AbortSignal.timeout(10_000))
  return bench
}

const sourceTo = (uri: string) =>
  ({
    metadata: { name: 'fair', namespace: 'test' },
    spec: {
      topics: [topic],
      consumerGroup: 'fair',
      ordering: 'ordered',
      initialOffset: 'earliest',
      delivery: { retry: 20, backoffPolicy: 'linear', backoffDelay: 'PT0.5S' },
      sink: { uri },
      ceOverrides: { extensions: { sluicetopic: topic } },
    },
  }) as const

const now = (): number => performance.timeOrigin + performance.now()

/** Sends at even distances, whatever becomes of what was sent. */
async function send({ eventLog, clock }: Workbench, kind: Kind, times: readonly number[]): Promise<readonly Sent[]> {
  const begun = clock.monotonic()
  const sending: Promise<unknown>[] = []
  const all: Sent[] = []
  for (const [n, atMs] of times.entries()) {
    await clock.sleep(Math.max(0, begun + atMs - clock.monotonic()))
    const sent = { id: randomUUID(), kind, sentAt: now() }
    const key = kind === 'other' ? `other-${n % otherKeys}` : kind
    sending.push(eventLog.append([{ topic, ...recordOf(sent, key) }]))
    all.push(sent)
  }
  await Promise.all(sending)
  return all
}

/** Of one kind between those of the others: what meets by chance in the real world would meet always, or never. */
const phases = { other: 0, hot: 0.5, poison: 0.25 } as const

function timesOf(kind: Kind, perSecond: number): readonly number[] {
  const total = events[kind]
  const ms = Math.min(roundMs.most, Math.max(roundMs.least, (events.other * 1_000) / (load * perSecond)))
  return Array.from({ length: total }, (_, n) => ((n + phases[kind]) * ms) / total)
}

/** Records a second that the partition takes now. */
async function capacity(bench: Workbench): Promise<number> {
  const begun = bench.clock.monotonic()
  const sent = await send(
    bench,
    'other',
    Array.from({ length: burst }, () => 0),
  )
  await settled(bench, sent)
  return (burst * 1_000) / (bench.clock.monotonic() - begun)
}

const recordOf = ({ id, kind }: Sent, key: string) =>
  encodeRecord(
    {
      specversion: '1.0',
      id,
      source: '/test',
      type: 'conversation.message.received.v1',
      time: new Date().toISOString(),
      datacontenttype: 'application/json',
      data: { session_id: key, turn_id: id, message: kind, strategy: 'enqueue' },
      extensions: { partitionkey: key, tenant: 'acme' },
    },
    { key },
  )

async function settled(bench: Workbench, sent: readonly Sent[]): Promise<void> {
  const countSql = `SELECT count(*)::int AS settled FROM sluice.inbox WHERE id = ANY ($1) AND state <> 'parked'`
  const ids = sent.map(({ id }) => id)
  await until(
    'every event is done or a dead letter',
    async () => (await bench.rows<{ settled: number }>(countSql, [ids]))[0]?.settled === sent.length,
    { limitMs: 60_000, everyMs: 50 },
  )
}

/** Sends for a while and waits until everything is done or dead. Returns how long events of the other keys took, in milliseconds. */
async function round(bench: Workbench, kinds: readonly Kind[], perSecond: number): Promise<readonly number[]> {
  const sent = (await Promise.all(kinds.map((kind) => send(bench, kind, timesOf(kind, perSecond))))).flat()
  await settled(bench, sent)
  const effects = await bench.rows<{ id: string; at: number }>(
    'SELECT id, (extract(epoch FROM at) * 1000)::float8 AS at FROM effect WHERE id = ANY ($1)',
    [sent.map(({ id }) => id)],
  )
  const doneAt = new Map(effects.map(({ id, at }) => [id, at]))
  const poisoned = sent.filter(({ kind }) => kind === 'poison')
  assert.equal(effects.length, sent.length - poisoned.length, 'each has its effect once, what is poisoned has none')
  const others = sent.filter(({ kind }) => kind === 'other')
  return others.map(({ id, sentAt }) => (doneAt.get(id) ?? Number.POSITIVE_INFINITY) - sentAt)
}

function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.ceil(sorted.length * share) - 1] ?? Number.NaN
}

const p99 = (values: readonly number[]): number => Math.max(resolutionMs, percentile(values, 0.99))

for (const execution of ['transaction', 'steps'] as const) {
  test(
    `${execution}: with a poisoned and a hot key in their partition, the p99 of other keys is at most twice that without`,
    { timeout: 280_000 },
    async (t) => {
      const bench = await startWorld(t, execution)
      await capacity(bench) // warms everything up
      const alone: number[] = []
      const beside: number[] = []
      const ratio = (): number => p99(beside) / p99(alone)
      for (let pair = 0; pair < pairs || (pair < mostPairs && ratio() > limit); pair += 1) {
        const perSecond = await capacity(bench)
        alone.push(...(await round(bench, ['other'], perSecond)))
        beside.push(...(await round(bench, ['other', 'hot', 'poison'], perSecond)))
      }
      const [without, together] = [p99(alone).toFixed(1), p99(beside).toFixed(1)]
      t.diagnostic(
        `${execution}: p99 of other keys ${without} ms without, ${together} ms beside a poisoned and a hot key: ${ratio().toFixed(2)} (${alone.length} events each)`,
      )
      const dead = await bench.rows<{ attempts: number }>('SELECT DISTINCT attempts FROM sluice.dead_letter')
      assert.deepEqual(dead, [{ attempts: 3 }], 'what is poisoned got its attempts, and is a dead letter')
      assert.ok(ratio() <= limit, `the p99 of other keys is ${ratio().toFixed(2)} times that without the two keys`)
    },
  )
}
