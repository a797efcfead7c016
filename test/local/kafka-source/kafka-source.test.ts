import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import {
  createKafkaSource,
  upstreamTiming,
  type KafkaSource,
  type KafkaSourceOptions,
  type KafkaSourceSpec,
  type RecordLog,
  type SourceRecord,
} from '../../../local/kafka-source/index.ts'
import { createLogger } from '../../../shared/telemetry/index.ts'
import {
  createMemoryLog,
  createVirtualClock,
  type MemoryLog,
  type VirtualClock,
} from '../../../local/simulation/index.ts'
import { createMemorySinks } from '../../conformance/memory-sinks.ts'
import type { AnswerFor } from '../../conformance/sink-ledger.ts'
import type { Sinks } from '../../conformance/sinks.ts'

const topic = 'orders'
const logger = createLogger({ function: 'twin', level: 'silent' })
const linear: KafkaSourceSpec = {
  metadata: { name: 'shop-orders', namespace: 'shop' },
  spec: {
    topics: [topic],
    consumerGroup: 'shop-orders',
    initialOffset: 'earliest',
    delivery: { retry: 5, backoffPolicy: 'linear', backoffDelay: 'PT0.3S' },
    sink: { uri: 'http://sink/' },
  },
}

interface World {
  readonly clock: VirtualClock
  readonly log: MemoryLog
  readonly sink: Sinks
  start(options?: Partial<KafkaSourceOptions>, log?: RecordLog): Promise<KafkaSource>
}

function world(
  t: TestContext,
  { partitions = 1, script = () => 200 }: { readonly partitions?: number; readonly script?: AnswerFor } = {},
): World {
  const clock = createVirtualClock()
  const log = createMemoryLog(partitions)
  const sink = createMemorySinks({ deadLetterUri: undefined, answerFor: script }, { clock })
  return {
    clock,
    log,
    sink,
    start: async (options = {}, otherLog = log) => {
      const twin = createKafkaSource(
        { source: linear, ...upstreamTiming, ...options },
        { log: otherLog, sender: sink.sender, clock, logger, spanId: () => '00f067aa0ba902b7' },
      )
      await twin.start(AbortSignal.timeout(5_000))
      t.after(() => twin.stop())
      return twin
    },
  }
}

const record = (
  offset: number,
  { partition = 0, key = `k${offset}` }: { readonly partition?: number; readonly key?: string } = {},
): SourceRecord => ({
  topic,
  partition,
  offset,
  timestampMs: 1_788_257_730_123,
  key: Buffer.from(key),
  headers: [],
  value: Buffer.from('{}'),
})

const sent = ({ sink }: World): readonly string[] => sink.steps.map(({ record: key, attempt }) => `${key} ${attempt}`)
const unordered: KafkaSourceSpec = { ...linear, spec: { ...linear.spec, ordering: 'unordered' } }

test('a restart delivers again from the committed offset, and what was committed is not sent again', async (t) => {
  const first = world(t)
  first.log.append([record(0), record(1)])
  const twin = await first.start()
  await first.clock.run(() => first.log.commits.get('orders/0') === 2, 10_000)
  await twin.stop()
  first.log.append([record(2)])
  await first.start()
  await first.clock.run(() => first.sink.steps.length === 3, 10_000)
  assert.deepEqual(sent(first), ['k0 1', 'k1 1', 'k2 1'])
})

test('a crash before the commit interval delivers everything since the last commit again', async (t) => {
  const w = world(t)
  w.log.append([record(0), record(1)])
  await w.start() // never stopped: nothing is committed before 5 s have passed
  await w.clock.run(() => w.sink.steps.length === 2, 4_000)
  assert.equal(w.log.commits.get('orders/0'), undefined)
  await w.start()
  await w.clock.run(() => w.sink.steps.length === 4, 400)
  assert.deepEqual(sent(w), ['k0 1', 'k1 1', 'k0 2', 'k1 2'])
})

test('a stop in the middle of a retry waits for nothing and commits nothing of that record', async (t) => {
  const w = world(t, { script: () => 503 })
  w.log.append([record(0)])
  const twin = await w.start()
  await w.clock.run(() => w.sink.steps.length === 3, 10_000)
  await twin.stop()
  assert.equal(w.log.commits.get('orders/0'), undefined)
  await w.start()
  await w.clock.run(() => w.log.commits.get('orders/0') === 1, 60_000)
  assert.equal(w.sink.steps.length, 3 + 6, 'the retry count starts anew: one try and five retries')
})

test('ordered: a failing record holds its partition and no other', async (t) => {
  const w = world(t, { partitions: 2, script: ({ record: key, attempt }) => (key === 'a0' && attempt < 3 ? 503 : 200) })
  w.log.append([
    record(0, { key: 'a0' }),
    record(1, { key: 'a1' }),
    record(0, { partition: 1, key: 'b0' }),
    record(1, { partition: 1, key: 'b1' }),
  ])
  await w.start()
  await w.clock.run(() => w.sink.steps.length === 6, 10_000)
  assert.deepEqual(
    sent(w).filter((step) => step.startsWith('a')),
    ['a0 1', 'a0 2', 'a0 3', 'a1 1'],
  )
  assert.deepEqual(sent(w).slice(0, 3).toSorted(), ['a0 1', 'b0 1', 'b1 1'])
})

test('ordered: a backlog drains at the rate of upstream, 50 records each 200 ms over all partitions', async (t) => {
  const w = world(t, { partitions: 4 })
  for (let partition = 0; partition < 4; partition += 1)
    w.log.append(
      Array.from({ length: 100 }, (_, offset) => record(offset, { partition, key: `${partition}-${offset}` })),
    )
  const startMs = w.clock.now()
  await w.start()
  await w.clock.run(() => w.sink.steps.length === 400, 60_000)
  const drainedMs = w.clock.now() - startMs
  assert.ok(drainedMs >= 7 * 200 && drainedMs < 7 * 200 + 10, `${drainedMs} ms`)
})

test('unordered: a slow record holds no other, and the committed offset stays behind it', async (t) => {
  const w = world(t, { script: ({ record: key }) => ({ delayMs: key === 'k0' ? 20_000 : 0 }) })
  w.log.append(Array.from({ length: 60 }, (_, offset) => record(offset)))
  await w.start({ source: unordered })
  await w.clock.run(() => w.sink.steps.length === 60, 1_000)
  await w.clock.run(() => false, 6_000)
  assert.equal(w.log.commits.get('orders/0'), undefined)
  await w.clock.run(() => w.log.commits.get('orders/0') === 60, 60_000)
  assert.equal(w.log.commits.get('orders/0'), 60)
})

test('unordered: fewer than two polls of records are in flight, however slow the sink', async (t) => {
  const w = world(t, { script: () => ({ delayMs: 1_000 }) })
  w.log.append(Array.from({ length: 30 }, (_, offset) => record(offset)))
  await w.start({ source: unordered })
  w.log.append(Array.from({ length: 150 }, (_, index) => record(30 + index)))
  await w.clock.run(() => w.sink.steps.length === 180, 60_000)
  assert.ok(w.sink.maxInFlight() > 50 && w.sink.maxInFlight() < 100, `${w.sink.maxInFlight()} in flight`)
})

test('woken by an append: nothing waits for a tick, and records behind a busy one follow at once', async (t) => {
  const w = world(t, { script: () => ({ delayMs: 5 }) })
  await w.start({ wake: 'append', pollEveryMs: 60_000 })
  const startMs = w.clock.now()
  w.log.append([record(0)])
  await w.clock.run(() => w.sink.steps.length === 1, 1_000)
  w.log.append([record(1)]) // while the first is under way
  await w.clock.run(() => w.sink.steps.length === 2, 1_000)
  assert.equal(Math.floor(w.clock.now() - startMs), 5)
})

test('woken by an append: a backlog beyond one poll is drained without a further hint', async (t) => {
  const w = world(t, { partitions: 3 })
  for (let partition = 0; partition < 3; partition += 1)
    w.log.append(Array.from({ length: 120 }, (_, offset) => record(offset, { partition })))
  await w.start({ wake: 'append', pollEveryMs: 60_000 })
  assert.equal(await w.clock.run(() => w.sink.steps.length === 360, 1_000), 'done')
})

test('a log that cannot be read is asked again, and nothing is lost', async (t) => {
  const w = world(t)
  let broken = true
  const flaky: RecordLog = {
    ...w.log,
    read: (request) => (broken ? Promise.reject(new Error('no database')) : w.log.read(request)),
  }
  w.log.append([record(0)])
  await w.start({}, flaky)
  await w.clock.run(() => false, 1_000)
  assert.equal(w.sink.steps.length, 0)
  broken = false
  await w.clock.run(() => w.sink.steps.length === 1, 1_000)
  assert.deepEqual(sent(w), ['k0 1'])
})

test('a commit that fails is made up for by the next one', async (t) => {
  const w = world(t)
  let refused = 0
  const flaky: RecordLog = {
    ...w.log,
    commit: (...args) => ((refused += 1) === 1 ? Promise.reject(new Error('no database')) : w.log.commit(...args)),
  }
  w.log.append([record(0)])
  await w.start({}, flaky)
  await w.clock.run(() => w.log.commits.get('orders/0') === 1, 30_000)
  assert.equal(w.log.commits.get('orders/0'), 1)
  assert.equal(refused, 2)
})

test('initialOffset latest starts at the end, and that start survives a restart', async (t) => {
  const w = world(t)
  const latest: KafkaSourceSpec = { ...linear, spec: { ...linear.spec, initialOffset: 'latest' } }
  w.log.append([record(0)])
  const twin = await w.start({ source: latest })
  await twin.stop()
  w.log.append([record(1)])
  await w.start({ source: latest })
  await w.clock.run(() => w.sink.steps.length === 1, 1_000)
  assert.deepEqual(sent(w), ['k1 1'])
})

const drained = async ({ clock }: World, work: Promise<void>): Promise<void> => {
  let done = false
  void work.then(() => (done = true))
  assert.equal(await clock.run(() => done, 200_000), 'done')
}

test('a drain finishes what is under way with its whole retry series, begins nothing more and commits', async (t) => {
  const w = world(t, { script: ({ attempt }) => (attempt < 4 ? 503 : 200) })
  w.log.append([record(0), record(1)])
  const twin = await w.start()
  await w.clock.run(() => w.sink.steps.length === 1, 1_000)
  await drained(w, twin.drain())
  await twin.stop()
  assert.deepEqual(sent(w), ['k0 1', 'k0 2', 'k0 3', 'k0 4'])
  assert.equal(w.log.commits.get('orders/0'), 1)
})

test('a drain gives up on a jammed record after two minutes', async (t) => {
  const w = world(t, { script: () => ({ status: 422, headers: { 'kne-error-code': 'E1' } }) })
  w.log.append([record(0)])
  const twin = await w.start()
  await w.clock.run(() => w.sink.steps.length === 1, 1_000)
  const startMs = w.clock.now()
  await drained(w, twin.drain())
  assert.ok(w.clock.now() - startMs >= 120_000)
  assert.equal(w.log.commits.get('orders/0'), undefined)
})

test('unordered: a jammed record keeps its place in flight for ever', async (t) => {
  const w = world(t, { script: () => ({ status: 422, headers: { 'kne-a-b': 'x' } }) })
  await w.start({ source: unordered, maxPollRecords: 3 })
  w.log.append(Array.from({ length: 20 }, (_, offset) => record(offset)))
  await w.clock.run(() => false, 60_000)
  assert.equal(w.sink.steps.length, 3)
})

test('unordered: a backlog waits for no tick', async (t) => {
  const w = world(t)
  w.log.append(Array.from({ length: 1_000 }, (_, offset) => record(offset)))
  const startMs = w.clock.now()
  await w.start({ source: unordered })
  await w.clock.run(() => w.sink.steps.length === 1_000, 60_000)
  assert.ok(w.clock.now() - startMs < 200, `${w.clock.now() - startMs} ms`)
})

test('ordered: a record that comes while nothing waits is sent at once, a second one at the next tick', async (t) => {
  const w = world(t)
  await w.start()
  await w.clock.run(() => false, 250)
  const startMs = w.clock.now()
  w.log.append([record(0)])
  await w.clock.run(() => w.sink.steps.length === 1, 1_000)
  w.log.append([record(1)])
  await w.clock.run(() => w.sink.steps.length === 2, 1_000)
  assert.deepEqual(
    w.sink.steps.map(({ atMs }) => Math.round(atMs - startMs)),
    [0, 150],
  )
})

test('ordered: a partition takes more records while its last one is under way', async (t) => {
  const w = world(t, { script: () => ({ delayMs: 1_000 }) })
  w.log.append([record(0)])
  await w.start()
  w.log.append([record(1)])
  await w.clock.run(() => w.sink.steps.length === 2, 5_000)
  const [first, second] = w.sink.steps.map(({ atMs }) => atMs)
  assert.ok((second ?? 0) - (first ?? 0) < 1_005, 'it did not wait for a tick')
})

const traced = (offset: number, options?: { readonly partition?: number; readonly key?: string }): SourceRecord => ({
  ...record(offset, options),
  headers: [['traceparent', Buffer.from(`00-${String(offset + 1).padStart(32, '0')}-00000000000000aa-01`)]],
})

const traces = ({ sink }: World): readonly string[] =>
  sink.steps.map(({ record: key, request }) => {
    const traceparent = request.rawHeaders.find(([name]) => name === 'traceparent')?.[1]
    return `${key} ${traceparent === undefined ? 'none' : Number(traceparent.slice(3, 35))}`
  })

test('unordered: all requests of a poll carry the trace of its last record, retries what the last one to end had found', async (t) => {
  const w = world(t, { script: ({ record: key, attempt }) => (key === 'k0' && attempt === 1 ? 503 : 200) })
  await w.start({ source: unordered })
  w.log.append([traced(0), traced(1), traced(2)])
  await w.clock.run(() => w.sink.steps.length === 4, 5_000)
  assert.deepEqual(traces(w), ['k0 3', 'k1 3', 'k2 3', 'k0 2'])
})

test('a record without a trace is sent with whatever trace is in place', async (t) => {
  const w = world(t)
  await w.start({ source: unordered })
  w.log.append([record(0), traced(1)])
  await w.clock.run(() => w.log.commits.get('orders/0') === 2, 10_000)
  w.log.append([record(2)])
  await w.clock.run(() => w.sink.steps.length === 3, 5_000)
  assert.deepEqual(traces(w), ['k0 2', 'k1 2', 'k2 none'])
})
