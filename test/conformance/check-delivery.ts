// Records in, answers scripted: attempts, delays, dead letters, order and commits against the captured sequence.

import { sourceRecord, type CapturedStep, type DeliveryCapture } from './capture.ts'
import { compareRefusals } from './check-shape.ts'
import { compareRequests, compareTimes, differencesOf, slackMs, type Difference } from './differences.ts'
import { headerOf } from './received-request.ts'
import { answerOf, repeating, scriptOf } from './scripted-answer.ts'
import type { AnswerFor, SinkStep } from './sink-ledger.ts'
import { createWorld, type Medium, type World } from './world.ts'

/** In virtual time: until everything is committed, or to see that a record stays where it is. */
const longestMs = { committed: 1_500_000, stuck: 130_000 }

export async function checkDelivery(capture: DeliveryCapture, medium: Medium): Promise<readonly Difference[]> {
  const { source, records, observed } = capture
  const partitions = Math.max(...records.map(({ partition }) => partition)) + 1
  const commitEveryMs = capture.commitIntervalMs
  const world = await createWorld({
    source,
    partitions,
    answerFor: answersOf(capture),
    medium,
    ...(commitEveryMs === undefined ? {} : { commitEveryMs }),
  })
  try {
    await world.start()
    world.log.append(records.map(sourceRecord))
    const committedAll = (): boolean => isCommitted(capture, world)
    await world.clock.run(committedAll, observed.committedAll ? longestMs.committed : longestMs.stuck)
    const { steps } = world.sinks
    return [
      ...compareSequence(capture, steps, medium),
      ...differencesOf(
        'observed.deadLettered',
        observed.deadLettered,
        steps.some(({ to }) => to === 'dls'),
      ),
      ...differencesOf('observed.committedAll', observed.committedAll, committedAll()),
      ...compareCommits(capture, world),
      ...compareMarker(capture, steps),
      ...(medium === 'memory' ? compareInFlight(capture, world) : []),
      ...compareRefusals('observed.refusedByHttpParser', observed.refusedByHttpParser, { ...world.sinks, medium }),
      ...compareSamples(capture, steps),
    ]
  } finally {
    await world.close()
  }
}

function isCommitted({ records }: DeliveryCapture, { log }: World): boolean {
  const ends = new Map(records.map(({ topic, partition, offset }) => [`${topic}/${partition}`, offset + 1]))
  return [...ends].every(([name, end]) => log.commits.get(name) === end)
}

function answersOf(capture: DeliveryCapture): AnswerFor {
  const { sinkAnswers, deadLetterAnswers, observed } = capture
  if (isRaceOfAnswerAndClose(capture)) return answersOfRace(capture)
  const redirects = observed.sequence.filter(({ to }) => to === 'redirect').map(({ answer }) => answerOf(answer))
  return ({ to, record, attempt }) => {
    if (to === 'redirect') return redirects.shift() ?? 200
    if (to === 'dls') return repeating(deadLetterAnswers ?? [200], attempt)
    if (record === 'marker') return 200
    if (sinkAnswers !== null && sinkAnswers !== undefined) return repeating(sinkAnswers, attempt)
    const step = observed.sequence.find((one) => one.to === 'sink' && one.record === record && one.attempt === attempt)
    const answer = answerOf(step?.answer ?? 200)
    // The only capture of several records with such an answer does not script it.
    return answer === 422 && !observed.deadLettered ? { status: 422, headers: { 'kne-error-code': 'E42' } } : answer
  }
}

/** An early answer with the body unread: whether the client sees it or a broken connection is a race. */
const isRaceOfAnswerAndClose = ({ sinkAnswers }: DeliveryCapture): boolean =>
  sinkAnswers?.some((answer) => scriptOf(answer).early === 'close') === true

/** Such a sink looked at the head only. */
const isAnsweredEarly = ({ sinkAnswers }: DeliveryCapture): boolean =>
  sinkAnswers?.some((answer) => scriptOf(answer).early !== undefined) === true

/** The captured end of the race: broken until the last attempt, which was seen if the dead letter has a code. */
function answersOfRace({ sinkAnswers, deadLetterAnswers, observed, deadLetterRequest }: DeliveryCapture): AnswerFor {
  const attempts = observed.sequence.filter(({ to, record }) => to === 'sink' && record !== 'marker').length
  const wasSeen = deadLetterRequest?.headers['ce-knativeerrorcode'] !== undefined
  return ({ to, record, attempt }) => {
    if (to === 'dls') return repeating(deadLetterAnswers ?? [200], attempt)
    if (record === 'marker') return 200
    const { early: _, ...seen } = scriptOf(repeating(sinkAnswers ?? [413], attempt))
    return attempt === attempts && wasSeen ? seen : { ...seen, close: 'before' }
  }
}

type Step = Pick<SinkStep, 'to' | 'record' | 'attempt' | 'answer'>

const named = ({ to, record, attempt }: CapturedStep | Step): string =>
  to === 'redirect' ? 'redirect' : `${to} ${record} ${attempt}`

/** Steps by partition (ordered) or by record (unordered): between those the order is a matter of chance. */
function lanesOf<S extends CapturedStep | Step>(
  steps: readonly S[],
  { source, records }: DeliveryCapture,
): ReadonlyMap<string, readonly S[]> {
  const laneOf = (record: string | undefined): string => {
    if (source.spec.ordering === 'unordered') return record ?? ''
    const found = records.find(({ key }) => key !== null && Buffer.from(key, 'base64').toString() === record)
    return String(found?.partition ?? 0)
  }
  return Map.groupBy(steps, ({ to, record }) => (to === 'redirect' ? laneOf(undefined) : laneOf(record)))
}

function compareSequence(capture: DeliveryCapture, steps: readonly SinkStep[], medium: Medium): readonly Difference[] {
  const expected = lanesOf(capture.observed.sequence, capture)
  const got = lanesOf(steps, capture)
  const knowsTraces = medium === 'memory' || expected.size === 1
  return [...new Set([...expected.keys(), ...got.keys()])].flatMap((lane) => {
    const path = expected.size === 1 ? 'observed.sequence' : `observed.sequence of ${lane}`
    const captured = expected.get(lane) ?? []
    const own = got.get(lane) ?? []
    const names = differencesOf(path, captured.map(named), own.map(named))
    if (names.length > 0) return names
    return captured.flatMap((step, at) => {
      const mine = own[at]
      if (mine === undefined) return []
      return [
        ...compareAnswers(`${path}[${at}]`, step, { mine, isRace: isRaceOfAnswerAndClose(capture) }),
        ...(knowsTraces ? compareTraces(`${path}[${at}]`, step, mine) : []),
        ...compareDelay(`${path}[${at}].atMs`, [captured[at - 1], step], [own[at - 1], mine]),
      ]
    })
  })
}

function compareAnswers(
  path: string,
  step: CapturedStep,
  { mine, isRace }: { readonly mine: SinkStep; readonly isRace: boolean },
): readonly Difference[] {
  const method = step.method === undefined ? [] : differencesOf(`${path}.method`, step.method, mine.request.method)
  const answer = isRace ? [] : differencesOf(`${path}.answer`, step.answer, mine.answer)
  const { closedByClientAfterMs: closed } = step
  if (closed === undefined) return [...method, ...answer]
  const virtualMs = mine.closedByClientAfterMs ?? Number.NaN
  return [
    ...method,
    ...answer,
    ...compareTimes(`${path}.closedByClientAfterMs`, { realMs: closed, virtualMs }, slackMs.retry),
  ]
}

const traceId = (traceparent: string | undefined): string | undefined =>
  traceparent?.replace(/-[0-9a-f]{16}-/, '-<parent-id>-')

function compareTraces(path: string, step: CapturedStep, { request }: SinkStep): readonly Difference[] {
  const { traceparent, recordTraceparent } = step
  const own = headerOf(request, 'ce-kafkaheadertraceparent') ?? headerOf(request, 'ce-traceparent')
  return [
    ...(traceparent === undefined && recordTraceparent === undefined
      ? []
      : differencesOf(`${path}.traceparent`, traceId(traceparent), traceId(headerOf(request, 'traceparent')))),
    ...(recordTraceparent === undefined ? [] : differencesOf(`${path}.recordTraceparent`, recordTraceparent, own)),
  ]
}

type Pair<T> = readonly [before: T | undefined, now: T]

function compareDelay(path: string, [before, now]: Pair<CapturedStep>, mine: Pair<SinkStep>): readonly Difference[] {
  const [mineBefore, mineNow] = mine
  if (before === undefined || mineBefore === undefined) return []
  const isRetry = before.to === now.to && before.record === now.record
  return compareTimes(
    path,
    { realMs: now.atMs - before.atMs, virtualMs: mineNow.atMs - mineBefore.atMs },
    isRetry ? slackMs.retry : slackMs.other,
  )
}

/**
 * The last offset of each partition; -1 stands for none. Which ones were stored on the way, and when, is a matter of chance,
 * but each is the one behind a record.
 */
function compareCommits({ records, observed }: DeliveryCapture, { log }: World): readonly Difference[] {
  const { commits = [], committedAfterMs } = observed
  const topic = records[0]?.topic ?? ''
  const last = new Map(commits.map(({ partition, offset }) => [partition, offset]))
  const impossible = commits.findIndex(
    (commit) =>
      commit.offset !== -1 &&
      !records.some(({ partition, offset }) => partition === commit.partition && offset + 1 === commit.offset),
  )
  const end = commits.at(-1)?.atMs
  return [
    ...[...last].flatMap(([partition, offset]) =>
      differencesOf(`observed.commits of ${partition}`, offset, log.commits.get(`${topic}/${partition}`) ?? -1),
    ),
    ...differencesOf(
      'observed.commits',
      'offsets behind records',
      impossible < 0 ? 'offsets behind records' : commits[impossible],
    ),
    ...(committedAfterMs === undefined ? [] : differencesOf('observed.committedAfterMs', committedAfterMs, end)),
  ]
}

/** How long the partition was blocked for the record behind. */
function compareMarker({ observed }: DeliveryCapture, steps: readonly SinkStep[]): readonly Difference[] {
  const { markerAtMs, sequence } = observed
  if (markerAtMs === undefined || markerAtMs === null) return []
  const [first] = sequence
  const marker = sequence.find(({ record }) => record === 'marker')
  const mine = steps.find(({ record }) => record === 'marker')
  const start = steps[0]
  if (marker === undefined || mine === undefined || first === undefined || start === undefined)
    return [{ path: 'observed.markerAtMs', expected: markerAtMs, got: mine === undefined ? 'no marker' : mine.atMs }]
  return differencesOf('observed.markerAtMs', markerAtMs, marker.atMs)
}

/** As many as were seen at once, or more: the captured machine was busy. */
function compareInFlight({ observed }: DeliveryCapture, { sinks }: World): readonly Difference[] {
  const { maxInFlight } = observed
  if (maxInFlight === undefined || sinks.maxInFlight() >= maxInFlight) return []
  return [{ path: 'observed.maxInFlight', expected: maxInFlight, got: sinks.maxInFlight() }]
}

/** The requests that a capture gives in full. */
function compareSamples(capture: DeliveryCapture, steps: readonly SinkStep[]): readonly Difference[] {
  const { firstRequest, deadLetterRequest } = capture
  const first = steps.find(({ to }) => to === 'sink')
  if (first !== undefined && isAnsweredEarly(capture)) first.request.body = Buffer.alloc(0)
  const letter = steps.find(({ to }) => to === 'dls')
  return [
    ...(firstRequest === undefined ? [] : compareRequests('firstRequest', firstRequest, first?.request)),
    ...(deadLetterRequest === undefined
      ? []
      : compareRequests('deadLetterRequest', deadLetterRequest, letter?.request)),
  ]
}
