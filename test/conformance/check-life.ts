// Dispatchers that end and come again, and sources that change under way: the twin goes through the captured life.

import type { SourceRecord } from '../../local/kafka-source/index.ts'
import type { DispatcherProcess } from '../../local/simulation/index.ts'
import type { LifeCapture, LifeStep } from './capture.ts'
import { compareTimes, differencesOf, slackMs, type Difference } from './differences.ts'
import { headerOf } from './received-request.ts'
import { answerOf } from './scripted-answer.ts'
import type { AnswerFor, SinkStep } from './sink-ledger.ts'
import { createWorld, type Medium, type World } from './world.ts'

const longestWaitMs = 700_000
/** After the captured end, to see that nothing more comes. */
const afterwardsMs = 60_000
/** What the changed source adds to each event. */
const changed = { extensions: { changed: 'true' } }

export async function checkLife(capture: LifeCapture, medium: Medium): Promise<readonly Difference[]> {
  const { source, observed, commitIntervalMs = 500 } = capture
  const commitEveryMs = commitIntervalMs
  const world = await createWorld({ source, partitions: 1, answerFor: answersOf(capture), medium, commitEveryMs })
  try {
    const life: Life = { capture, world, process: await world.start(), requests: 0 }
    world.log.append(recordsOf(capture))
    const differences: Difference[] = []
    for (const [at, step] of observed.sequence.entries()) {
      differences.push(...(await live(life, { step, at })))
      if (differences.length > 0) return differences
    }
    await world.clock.run(() => false, afterwardsMs)
    const count = (to: 'sink' | 'dls'): number => world.sinks.steps.filter((step) => step.to === to).length
    return [
      ...compareClosed(observed.sequence, world.sinks.steps),
      ...differencesOf('observed.sinkRequests', observed.sinkRequests, count('sink')),
      ...differencesOf('observed.deadLetterRequests', observed.deadLetterRequests, count('dls')),
      ...differencesOf('observed.committedAll', observed.committedAll, isCommitted(life)),
    ]
  } finally {
    await world.close()
  }
}

interface Life {
  readonly capture: LifeCapture
  readonly world: World
  process: DispatcherProcess
  /** So far. */
  requests: number
  /** Of the request before, in the same process. */
  previous?: { readonly captured: LifeStep; readonly mine: SinkStep } | undefined
}

interface Moment {
  readonly step: LifeStep
  readonly at: number
}

async function live(life: Life, { step, at }: Moment): Promise<readonly Difference[]> {
  const { world, capture } = life
  const path = `observed.sequence[${at}]`
  const to = /^request to (sink|dls)$/.exec(step.what)?.[1]
  if (to !== undefined) return request(life, { step, to, path })
  const before = capture.observed.sequence[at - 1]
  await world.clock.run(() => false, isDeed(step.what) && before !== undefined ? step.atMs - before.atMs : 0)
  if (step.what === 'SIGTERM') await world.clock.run(settledBy(life.process.terminate()), longestWaitMs)
  if (step.what === 'SIGKILL') await world.clock.run(settledBy(life.process.kill()), longestWaitMs)
  if (step.what === 'new process started') {
    life.process = await world.start()
    life.previous = undefined
  }
  if (/chang|updat/i.test(step.what))
    void succeed(life, { ...capture.source, spec: { ...capture.source.spec, ceOverrides: changed } })
  if (/remov|delet|empt/i.test(step.what)) void succeed(life, undefined)
  if (step.done !== undefined) await world.clock.run(() => isCommitted(life), step.done ? longestWaitMs : afterwardsMs)
  return [
    ...(step.done === undefined ? [] : differencesOf(`${path}.done`, step.done, isCommitted(life))),
    ...(step.committedOffset === undefined
      ? []
      : differencesOf(`${path}.committedOffset`, step.committedOffset, committedOffset(life))),
  ]
}

const isDeed = (what: string): boolean => /^SIG|chang|updat|remov|delet|empt/i.test(what)

/** The old settings to their end, then the new ones. */
async function succeed(life: Life, next: LifeCapture['source'] | undefined): Promise<void> {
  await life.process.release()
  if (next !== undefined) life.process = await life.world.start(next)
}

function settledBy(work: Promise<void>): () => boolean {
  let done = false
  void work.then(() => (done = true))
  return () => done
}

interface CapturedRequest {
  readonly step: LifeStep
  readonly to: string
  readonly path: string
}

async function request(life: Life, { step, to, path }: CapturedRequest): Promise<readonly Difference[]> {
  const { world, previous } = life
  const index = life.requests
  await world.clock.run(() => world.sinks.steps.length > index, longestWaitMs)
  const mine = world.sinks.steps[index]
  if (mine === undefined) return [{ path, expected: `${step.what} ${step.record}`, got: 'no request' }]
  life.requests += 1
  life.previous = { captured: step, mine }
  const isRetry = previous?.captured.what === step.what && previous.captured.record === step.record
  const waited =
    previous === undefined
      ? undefined
      : { realMs: step.atMs - previous.captured.atMs, virtualMs: mine.atMs - previous.mine.atMs }
  return [
    ...differencesOf(path, { to, record: step.record, answer: step.answer }, pick(mine)),
    ...(step.changed === undefined
      ? []
      : differencesOf(`${path}.changed`, step.changed, headerOf(mine.request, 'ce-changed') === 'true')),
    ...(waited === undefined ? [] : compareTimes(`${path}.atMs`, waited, isRetry ? slackMs.retry : slackMs.other)),
  ]
}

/** Requests whose connection the dispatcher closed at its end. */
function compareClosed(captured: readonly LifeStep[], steps: readonly SinkStep[]): readonly Difference[] {
  const requests = captured.filter(({ what }) => what.startsWith('request to '))
  return requests.flatMap(({ closedByClientAfterMs: realMs }, at) => {
    const virtualMs = steps[at]?.closedByClientAfterMs ?? Number.NaN
    if (realMs === undefined) return []
    return compareTimes(`closedByClientAfterMs of request ${at}`, { realMs, virtualMs }, slackMs.other)
  })
}

const pick = ({ to, record, answer }: SinkStep): unknown => ({ to, record, answer })

/** The n-th request to a sink gets what the n-th captured one got. */
function answersOf({ observed }: LifeCapture): AnswerFor {
  const given = { sink: 0, dls: 0 }
  const answers = (to: string): readonly LifeStep[] =>
    observed.sequence.filter(({ what }) => what === `request to ${to}`)
  return ({ to }) => {
    if (to === 'redirect') return 200
    const steps = answers(to)
    const step = steps[Math.min(given[to], steps.length - 1)]
    given[to] += 1
    return answerOf(step?.answer ?? 200)
  }
}

function recordsOf({ source, records }: LifeCapture): readonly SourceRecord[] {
  const topic = source.spec.topics[0] ?? ''
  return Array.from({ length: records }, (_, offset) => ({
    topic,
    partition: 0,
    offset,
    timestampMs: 1_788_257_730_123,
    key: Buffer.from(`k${offset}`),
    headers: [],
    value: Buffer.from('{}'),
  }))
}

const committedOffset = ({ capture, world }: Life): number =>
  world.log.commits.get(`${capture.source.spec.topics[0] ?? ''}/0`) ?? -1

const isCommitted = (life: Life): boolean => committedOffset(life) === life.capture.records
