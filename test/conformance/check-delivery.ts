// Records in, answers scripted: attempts, delays, dead letters, order and commits against the captured sequence.

import { sourceRecord, type DeliveryCapture } from './capture.ts'
import { compareRefusals } from './check-shape.ts'
import { compareSequence } from './compare-sequence.ts'
import { compareRequests, differencesOf, type Difference } from './differences.ts'
import { answersOf, isAnsweredEarly } from './scripted-captures.ts'
import type { SinkStep } from './sink-ledger.ts'
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
