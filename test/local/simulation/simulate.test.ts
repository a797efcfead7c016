import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KafkaSourceSpec } from '../../../local/kafka-source/index.ts'
import {
  formatEntry,
  parseFault,
  simulate,
  type SimulationOptions,
  type SimulationReport,
} from '../../../local/simulation/index.ts'
import { toolCallRequested, topics, type CloudEvent } from '../../../shared/events/index.ts'
import { defineFunction, type Execution } from '../../../shared/function/index.ts'

const topic = topics.toolRequests
const functionOf = (execution: Execution): SimulationOptions['definition'] =>
  defineFunction({
    name: 'caller',
    purpose: 'Stands for a function in the tests of the simulation',
    consumes: [{ topic, type: toolCallRequested }],
    produces: [],
    execution,
    ordering: 'key',
    delivery: { attempts: 3, backoff: { firstMs: 100, maxMs: 1_000 }, timeoutMs: 10_000 },
    needs: execution === 'stateless' ? [] : ['postgres'],
    scale: { min: 0, max: 1, concurrency: 20 },
  })

const source: KafkaSourceSpec = {
  metadata: { name: 'caller-tool-requests', namespace: 'default' },
  spec: {
    topics: [topic.name],
    consumerGroup: 'caller',
    ordering: 'ordered',
    initialOffset: 'earliest',
    delivery: { retry: 120, backoffPolicy: 'linear', backoffDelay: 'PT0.5S', timeout: 'PT30S' },
    sink: { uri: 'http://function/' },
    ceOverrides: { extensions: { sluicetopic: topic.name } },
  },
}

const event = (index: number, everyMs: number): CloudEvent => {
  const session = `s-${index % 4}`
  return {
    specversion: '1.0',
    id: `e-${index}`,
    source: '/test',
    type: toolCallRequested.type,
    time: new Date(Date.UTC(2026, 2, 1) + index * everyMs).toISOString(),
    datacontenttype: 'application/json',
    data: { session_id: session, turn_id: 't-1', call_id: `c-${index}`, tool: 'calculator', arguments: {} },
    extensions: { tenant: 'local', partitionkey: session },
  }
}

interface Asked {
  readonly count?: number
  readonly everyMs?: number
  readonly seed?: string
  readonly faults?: readonly string[]
  readonly execution?: Execution
  readonly longestMs?: number
}

const run = ({
  count = 40,
  everyMs = 500,
  seed = '7',
  faults = [],
  execution = 'steps',
  longestMs = 3_600_000,
}: Asked = {}): Promise<SimulationReport> =>
  simulate({
    definition: functionOf(execution),
    sources: [source],
    events: Array.from({ length: count }, (_, index) => event(index, everyMs)),
    seed,
    faults: faults.map(parseFault),
    paces: { network: { from: 0.2, to: 2 }, acceptance: { from: 2, to: 10 }, handler: { from: 20, to: 200 } },
    longestMs,
  })

const textOf = ({ entries }: SimulationReport): string => entries.map(formatEntry).join('\n')
const nothingLost = { dropped: 0, open: 0, overtaken: 0 }
const losses = ({ dropped, open, overtaken }: SimulationReport): typeof nothingLost => ({ dropped, open, overtaken })

test('one seed repeats exactly, two differ', async () => {
  const faults = ['fail=0.3', 'kill@5s', 'lost-answer=0.1', '503@12s..14s', 'source-kill@8s..9s']
  const [first, again, other] = [await run({ faults }), await run({ faults }), await run({ faults, seed: '8' })]
  assert.equal(textOf(first), textOf(again))
  assert.notEqual(textOf(first), textOf(other))
  for (const report of [first, other]) assert.deepEqual(losses(report), nothingLost)
})

for (const execution of ['steps', 'transaction', 'stateless'] as const) {
  test(`${execution}: without faults every event is done once, in the order of its key`, async () => {
    const report = await run({ execution })
    const { events, requests, runs, done, dead, duplicates } = report
    assert.deepEqual(
      { events, requests, runs, done, dead, duplicates },
      { events: 40, requests: 40, runs: 40, done: 40, dead: 0, duplicates: 0 },
    )
    assert.deepEqual(losses(report), nothingLost)
  })
}

test('hours take seconds', async () => {
  const startedAt = performance.now()
  const report = await run({ count: 400, everyMs: 60_000 })
  assert.equal(report.done, 400)
  assert.ok(report.virtualMs > 6 * 3_600_000, `${report.virtualMs} virtual ms`)
  assert.ok(performance.now() - startedAt < 60_000, `${performance.now() - startedAt} ms`)
})

test('an outage is waited out by the retries of the source', async () => {
  const report = await run({ faults: ['503@5s..65s'] })
  assert.ok((report.answers.get(503) ?? 0) > 20)
  assert.equal(report.done, 40)
  assert.deepEqual(losses(report), nothingLost)
})

test('a lost answer brings the event again, and the inbox absorbs it', async () => {
  const report = await run({ faults: ['lost-answer=0.5'] })
  assert.ok(report.duplicates > 5, `${report.duplicates} duplicates`)
  assert.equal(report.runs, 40)
})

test('a killed dispatcher sends again what it had not committed', async () => {
  const report = await run({ faults: ['source-kill@4s'], everyMs: 100 })
  assert.ok(report.duplicates > 0)
  assert.equal(report.done, 40)
  assert.deepEqual(losses(report), nothingLost)
})

test('a killed function loses nothing that it had answered for', async () => {
  for (const execution of ['steps', 'transaction'] as const) {
    const report = await run({ faults: ['kill@3s', 'kill@9s..20s'], execution, everyMs: 200 })
    assert.equal(report.done, 40, execution)
    assert.deepEqual(losses(report), nothingLost)
    assert.match(textOf(report), /the process of the function is killed/)
  }
})

test('a poisoned key ends as dead letters and holds no other key', async () => {
  const report = await run({ faults: ['poison=s-1'] })
  assert.deepEqual({ done: report.done, dead: report.dead }, { done: 30, dead: 10 })
  assert.equal(report.runs, 30 + 3 * 10)
  assert.deepEqual(losses(report), nothingLost)
})

test('where the contract says hold, the lane waits for a person and the event stays open', async () => {
  const definition = functionOf('steps')
  const report = await simulate({
    definition: { ...definition, delivery: { ...definition.delivery, ...({ onExhausted: 'hold' } as object) } },
    sources: [source],
    events: [event(0, 0), event(4, 0), event(1, 0)],
    seed: '7',
    faults: [parseFault('poison=s-0')],
    paces: { network: { from: 1, to: 1 }, acceptance: { from: 1, to: 1 }, handler: { from: 1, to: 1 } },
    longestMs: 3_600_000,
  })
  assert.deepEqual({ done: report.done, dead: report.dead, open: report.open }, { done: 1, dead: 0, open: 2 })
  assert.match(textOf(report), /held for a person/)
})

test('an event that does not fit its schema becomes a dead letter without a run', async () => {
  const wrong: CloudEvent = { ...event(0, 0), data: { nonsense: true } }
  const report = await simulate({
    definition: functionOf('steps'),
    sources: [source],
    events: [
      wrong,
      { ...event(1, 10), type: 'other.v1', extensions: { ...event(1, 10).extensions, sluicetopic: topic.name } },
    ],
    seed: '7',
    faults: [],
    paces: { network: { from: 1, to: 1 }, acceptance: { from: 1, to: 1 }, handler: { from: 1, to: 1 } },
    longestMs: 60_000,
  })
  assert.deepEqual({ dead: report.dead, runs: report.runs }, { dead: 2, runs: 0 })
})

test('a refusal for good is a loss, and is said so', async () => {
  const report = await run({ faults: ['400@2s..4s'] })
  assert.ok(report.dropped > 0)
  assert.match(textOf(report), /dropped: status 400/)
})

test('what has not ended when the time is over is open', async () => {
  const report = await run({ faults: ['503'], longestMs: 60_000 })
  assert.deepEqual({ done: report.done, open: report.open }, { done: 0, open: 40 })
})

test('a slow answer holds its partition, and the answers of other partitions are not waited for', async () => {
  const quick = await run()
  const slow = await run({ faults: ['slow=2s'] })
  assert.ok(slow.virtualMs > quick.virtualMs)
  assert.deepEqual(losses(slow), nothingLost)
})
