// Retries, back-off, dead letters, order and commits: the twin in virtual time against the captured sequences.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLogger } from '../../../shared/telemetry/index.ts'
import { createKafkaSource, upstreamTiming } from '../../../local/kafka-source/index.ts'
import {
  comparable,
  deliveryCaptures,
  sourceRecord,
  type CapturedStep,
  type DeliveryCapture,
  type ScriptedAnswer,
} from './capture.ts'
import { createMemoryLog } from './memory-log.ts'
import { createScriptedSink, headerOf, type Script, type SinkStep } from './scripted-sink.ts'
import { createVirtualClock } from './virtual-clock.ts'

const logger = createLogger({ function: 'twin', level: 'silent' })

/** Captures that these tests do not compare, and why. */
const elsewhere: Readonly<Record<string, string>> = {
  'delivery-early-413-close':
    'a race between the answer and the broken connection: two of three attempts ended the one way',
  'delivery-restart-sigkill-before-commit': 'kafka-source.test.ts restarts the twin',
  'delivery-restart-sigkill-mid-retry': 'kafka-source.test.ts restarts the twin',
  'delivery-restart-sigterm-mid-retry': 'kafka-source.test.ts restarts the twin',
  'delivery-update-in-flight': 'the twin does not change a running source',
  'delivery-unordered-slow-handler': 'no records in the capture; kafka-source.test.ts counts what is in flight',
}

/** The first requests of several ordered partitions, and retries of unordered ones, ran in each other's tracing context. */
const tracesOfOthers = new Set(['delivery-trace-ordered', 'delivery-trace-retry-unordered'])

/** Upstream's delays are at least the configured ones; the captures come from a busy machine. */
const slackMs = { early: 5, late: 600 }

const repeating = (answers: readonly ScriptedAnswer[], attempt: number): ScriptedAnswer =>
  answers[Math.min(attempt, answers.length) - 1] ?? 200

/** Nothing listens there in the captures. */
const refuses = (uri: string): boolean => uri.includes(':18089')

function scriptOf(capture: DeliveryCapture): Script {
  const { sinkAnswers, deadLetterAnswers, observed } = capture
  return (to, record, attempt) => {
    if (to === 'dls') return repeating(deadLetterAnswers ?? [200], attempt)
    if (record === 'marker') return 200
    if (sinkAnswers !== null && sinkAnswers !== undefined) return repeating(sinkAnswers, attempt)
    const step = observed.sequence.find((one) => one.to === 'sink' && one.record === record && one.attempt === attempt)
    if (typeof step?.answer === 'number')
      return record === 'k0' && step.answer === 422
        ? { status: 422, headers: { 'kne-error-code': 'E42' } }
        : step.answer
    const [, status, delayMs] = /^(\d+) after (\d+) ms$/.exec(step?.answer ?? '') ?? []
    return { status: Number(status ?? 200), delayMs: Number(delayMs ?? 0) }
  }
}

async function deliver(
  capture: DeliveryCapture,
): Promise<{ readonly steps: readonly SinkStep[]; readonly committedAll: boolean; readonly maxInFlight: number }> {
  const { source, records, observed } = capture
  const clock = createVirtualClock()
  const log = createMemoryLog(Math.max(...records.map(({ partition }) => partition)) + 1)
  const sink = createScriptedSink(
    { deadLetterUri: source.spec.delivery?.deadLetterSink?.uri, closed: refuses, script: scriptOf(capture) },
    { clock },
  )
  let spans = 0
  const twin = createKafkaSource(
    { source, ...upstreamTiming, commitEveryMs: 500 },
    { log, sender: sink, clock, logger, spanId: () => (spans += 1).toString(16).padStart(16, '0') },
  )
  await twin.start(AbortSignal.timeout(5_000))
  log.append(records.map(sourceRecord))
  const ends = new Map(records.map(({ topic, partition, offset }) => [`${topic}/${partition}`, offset + 1]))
  const committedAll = (): boolean => [...ends].every(([name, end]) => log.commits.get(name) === end)
  await clock.run(committedAll, observed.committedAll ? 600_000 : 130_000)
  await twin.stop()
  return { steps: sink.steps, committedAll: committedAll(), maxInFlight: sink.maxInFlight() }
}

/** Steps by partition (ordered) or by record (unordered): between those the order is a matter of chance. */
function lines<S extends { readonly to: string; readonly record: string; readonly attempt: number }>(
  steps: readonly S[],
  capture: DeliveryCapture,
): ReadonlyMap<string, readonly S[]> {
  const laneOf = (record: string): string => {
    if (capture.source.spec.ordering === 'unordered') return record
    const found = capture.records.find(({ key }) => key !== null && Buffer.from(key, 'base64').toString() === record)
    return String(found?.partition ?? 0)
  }
  return Map.groupBy(steps, ({ record }) => laneOf(record))
}

const named = ({
  to,
  record,
  attempt,
}: {
  readonly to: string
  readonly record: string
  readonly attempt: number
}): string => `${to} ${record} ${attempt}`

for (const capture of deliveryCaptures) {
  const skip = elsewhere[capture.name]
  test(`${capture.name.replace('delivery-', '')}: ${capture.description}`, { skip: skip ?? false }, async () => {
    const { steps, committedAll, maxInFlight } = await deliver(capture)
    const { observed, source } = capture
    const expected = lines(
      observed.sequence.filter(({ to }) => to !== 'redirect'),
      capture,
    )
    const actual = lines(steps, capture)
    assert.deepEqual([...actual.keys()].toSorted(), [...expected.keys()].toSorted())
    for (const [lane, captured] of expected) {
      assert.deepEqual(actual.get(lane)?.map(named), captured.map(named))
      compareDelays(actual.get(lane) ?? [], captured)
    }
    assert.equal(committedAll, observed.committedAll)
    assert.equal(
      steps.some(({ to }) => to === 'dls'),
      observed.deadLettered,
    )
    if (observed.maxInFlight !== undefined && source.spec.ordering !== 'unordered')
      assert.ok(maxInFlight >= observed.maxInFlight)

    const first = steps.find(
      ({ to, record }) => to === 'sink' && record === observed.sequence.find((step) => step.to === 'sink')?.record,
    )
    if (capture.firstRequest !== undefined && first !== undefined) {
      assert.deepEqual(comparable(first.request.headers), comparable(capture.firstRequest.rawHeaders))
    }
    if (capture.deadLetterRequest !== undefined) {
      const letter = steps.find(({ to }) => to === 'dls')
      assert.ok(letter !== undefined)
      assert.deepEqual(comparable(letter.request.headers), comparable(capture.deadLetterRequest.rawHeaders))
    }
    if (!tracesOfOthers.has(capture.name)) compareTraces(steps, observed.sequence)
  })
}

function compareDelays(actual: readonly SinkStep[], captured: readonly CapturedStep[]): void {
  for (const [index, step] of captured.entries()) {
    const [before, now, earlier] = [actual[index - 1], actual[index], captured[index - 1]]
    if (before === undefined || now === undefined || earlier === undefined) continue
    const [virtualMs, realMs] = [now.atMs - before.atMs, step.atMs - earlier.atMs]
    const late = step.attempt > 1 ? virtualMs + slackMs.late : Number.POSITIVE_INFINITY // only retries have a due time
    assert.ok(
      realMs > virtualMs - slackMs.early && realMs < late,
      `before ${named(step)}: ${virtualMs} ms, captured ${realMs} ms`,
    )
  }
}

const traceId = (traceparent: string | undefined): string | undefined => traceparent?.split('-')[1]

function compareTraces(actual: readonly SinkStep[], captured: readonly CapturedStep[]): void {
  for (const step of captured) {
    if (step.recordTraceparent === undefined) continue
    const own = actual.find((one) => named(one) === named(step))
    assert.ok(own !== undefined)
    assert.equal(traceId(headerOf(own.request, 'traceparent')), traceId(step.traceparent), named(step))
  }
}
