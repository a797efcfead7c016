// The captured sequence of requests against the twin's: who got what, which attempt, the answer, the delay, the trace.

import type { CapturedStep, DeliveryCapture } from './capture.ts'
import { compareTimes, differencesOf, slackMs, type Difference } from './differences.ts'
import { headerOf } from './received-request.ts'
import { isRaceOfAnswerAndClose } from './scripted-captures.ts'
import type { SinkStep } from './sink-ledger.ts'
import type { Medium } from './world.ts'

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

export function compareSequence(
  capture: DeliveryCapture,
  steps: readonly SinkStep[],
  medium: Medium,
): readonly Difference[] {
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
