// One poisoned and one hot key in a partition: what the others notice, measured. A real function process, an ordered KafkaSource
// on one partition, a lane driver. Rounds with and without the two keys follow each other, so that whatever else this machine does
// falls on both alike. lasting-runs.test.ts shows the same without a clock.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { availableParallelism, loadavg } from 'node:os'
import { test, type TestContext } from 'node:test'
import { startChild, until } from '../../../support/index.ts'
import { createWorkbench, type Workbench } from '../workbench.ts'
import { appendMessage, countSettled, onePartition, startPartition } from './partition.ts'

/** Events of a round. */
const events = { other: 20, hot: 20, poison: 3 } as const
/**
 * The share of what the partition takes at this moment that the other keys are offered: an ordered source delivers one record at
 * a time, so in a partition that is offered more than it takes everybody waits, whatever the keys are.
 */
const load = 0.12
const roundMs = { least: 1_000, most: 5_000 } as const
/** Records a second. A partition that takes fewer cannot be offered so little in a round: the machine is too busy to measure on. */
const leastPerSecond = (events.other * 1_000) / (load * roundMs.most)
const otherKeys = 20
/** Events that show what the partition takes. */
const burst = 60
/** Pairs of rounds; more when the first ones are over the limit, because this machine may have hiccups of its own. */
const pairs = 5
const mostPairs = 15
const longestMs = 180_000
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
  const bench = await createWorkbench(t, { topics: onePartition })
  await bench.database.query('CREATE TABLE effect (id text, at timestamptz NOT NULL DEFAULT clock_timestamp())')
  const env = {
    TEST_EXECUTION: execution,
    DATABASE_URL: bench.url,
    PORT: '0',
    SLUICE_OPERATIONS_PORT: '0',
    LOG_LEVEL: 'silent',
  }
  const line = await startChild(t, [script], { env }).line(/serving on \d+/)
  await startPartition(t, bench, { url: `http://127.0.0.1:${/\d+$/.exec(line)?.[0]}/` })
  return bench
}

const now = (): number => performance.timeOrigin + performance.now()

/** Sends at even distances, whatever becomes of what was sent. */
async function send(bench: Workbench, kind: Kind, times: readonly number[]): Promise<readonly Sent[]> {
  const { clock } = bench
  const begun = clock.monotonic()
  const sending: Promise<unknown>[] = []
  const all: Sent[] = []
  for (const [n, atMs] of times.entries()) {
    await clock.sleep(Math.max(0, begun + atMs - clock.monotonic()))
    const sent = { id: randomUUID(), kind, sentAt: now() }
    const key = kind === 'other' ? `other-${n % otherKeys}` : kind
    sending.push(appendMessage(bench, { ...sent, key }))
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

async function settled(bench: Workbench, sent: readonly Sent[]): Promise<void> {
  const ids = sent.map(({ id }) => id)
  await until('every event is done or a dead letter', async () => (await countSettled(bench, ids)) === ids.length, {
    limitMs: 60_000,
    everyMs: 50,
  })
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

/** How far apart the rounds without the two keys are among themselves: what this machine does to a measure by its own. */
function noiseOf(rounds: readonly (readonly number[])[]): number {
  const [even, odd] = [0, 1].map((half) => p99(rounds.filter((_, n) => n % 2 === half).flat()))
  return even === undefined || odd === undefined ? Number.NaN : Math.max(even / odd, odd / even)
}

/** So much waits for the processors that a round shows who got one. */
const isCrowded = (): boolean => (loadavg()[0] ?? 0) > 3 * availableParallelism()

for (const execution of ['transaction', 'steps'] as const) {
  test(
    `${execution}: with a poisoned and a hot key in their partition, the p99 of other keys is at most twice that without`,
    { timeout: 280_000 },
    async (t) => {
      const bench = await startWorld(t, execution)
      await capacity(bench) // warms everything up
      const alone: (readonly number[])[] = []
      const beside: (readonly number[])[] = []
      const ratio = (): number => p99(beside.flat()) / p99(alone.flat())
      const ends = bench.clock.monotonic() + longestMs
      while (alone.length < pairs || (alone.length < mostPairs && ratio() > limit)) {
        if (bench.clock.monotonic() > ends) break
        const perSecond = await capacity(bench)
        if (perSecond < leastPerSecond) continue
        alone.push(await round(bench, ['other'], perSecond))
        beside.push(await round(bench, ['other', 'hot', 'poison'], perSecond))
      }
      if (alone.length < pairs) return t.skip('this machine has no time to measure on; lasting-runs.test.ts judges')
      const [without, together] = [p99(alone.flat()).toFixed(1), p99(beside.flat()).toFixed(1)]
      t.diagnostic(
        `${execution}: p99 of other keys ${without} ms without, ${together} ms beside a poisoned and a hot key: ${ratio().toFixed(2)} (${alone.flat().length} events each; noise ${noiseOf(alone).toFixed(2)})`,
      )
      const dead = await bench.rows<{ attempts: number }>('SELECT DISTINCT attempts FROM sluice.dead_letter')
      assert.deepEqual(dead, [{ attempts: 3 }], 'what is poisoned got its attempts, and is a dead letter')
      if (ratio() > limit && (noiseOf(alone) > limit || isCrowded()))
        return t.skip(`${ratio().toFixed(2)}, on a machine too busy to measure on; lasting-runs.test.ts judges`)
      assert.ok(ratio() <= limit, `the p99 of other keys is ${ratio().toFixed(2)} times that without the two keys`)
    },
  )
}
