// Many records at once: how many are in flight, and how fast a backlog drains. The captured numbers are rough, from a busy
// machine; the twin in virtual time has the ceiling without the machine.

import type { KafkaSourceSpec, SourceRecord } from '../../local/kafka-source/index.ts'
import type { ThroughputRow, VolumeCapture } from './capture.ts'
import { differencesOf, type Difference } from './differences.ts'
import { createWorld, type World } from './world.ts'

const longestMs = 600_000
/** Enough to see the rate of a backlog. */
const enoughRecords = 1_500
/** Captured share of the ceiling at which a source is said to be at it. */
const rough = { below: 0.85, above: 1.1 }

export async function checkVolume({ description, source, observed }: VolumeCapture): Promise<readonly Difference[]> {
  const [, amount, unit] = /(\d+) (ms|s) per request/.exec(description) ?? []
  const handlerMs = Number(amount ?? 0) * (unit === 's' ? 1_000 : 1)
  const world = await createWorld({
    source,
    partitions: 1,
    answerFor: () => ({ delayMs: handlerMs }),
    medium: 'memory',
  })
  try {
    await world.start()
    world.log.append(backlog(source, { records: observed.requests, partitions: 1 }))
    const end = `${source.spec.topics[0] ?? ''}/0`
    const committedAll = (): boolean => world.log.commits.get(end) === observed.requests
    await world.clock.run(committedAll, longestMs)
    const most = world.sinks.maxInFlight()
    return [
      ...differencesOf('observed.requests', observed.requests, world.sinks.steps.length),
      ...differencesOf('observed.committedAll', observed.committedAll, committedAll()),
      ...inRange('observed.maxInFlight', observed.maxInFlight, [most / 2, most]),
    ]
  } finally {
    await world.close()
  }
}

export async function checkThroughput(rows: readonly ThroughputRow[]): Promise<readonly Difference[]> {
  const differences: Difference[] = []
  for (const [at, row] of rows.entries()) differences.push(...(await checkRow(`results[${at}]`, row)))
  return rows.length === 0 ? [{ path: 'results', expected: 'rows', got: 'none' }] : differences
}

async function checkRow(path: string, row: ThroughputRow): Promise<readonly Difference[]> {
  const { ordering, partitions, handlerMs, maxPollRecords, perSecond } = row
  const records = Math.min(row.records, enoughRecords)
  const source: KafkaSourceSpec = {
    metadata: { name: 'backlog', namespace: 'shop' },
    spec: { topics: ['backlog'], consumerGroup: 'backlog', ordering, sink: { uri: 'http://127.0.0.1:18080/' } },
  }
  const answerFor = (): { delayMs: number } => ({ delayMs: handlerMs })
  const world = await createWorld({ source, partitions, answerFor, medium: 'memory', maxPollRecords })
  try {
    world.log.append(backlog(source, { records, partitions }))
    const startMs = world.clock.now()
    await world.start()
    await world.clock.run(() => world.sinks.steps.length === records, longestMs)
    const ceiling = (records * 1_000) / Math.max(1, world.clock.now() - startMs)
    const isAtCeiling = ordering === 'ordered' && handlerMs === 0 && maxPollRecords === 50
    const mostPerSecond = Math.max(ceiling, tickCeiling(row)) * rough.above
    return [
      ...differencesOf(`${path}.records`, records, world.sinks.steps.length),
      ...inRange(`${path}.perSecond`, perSecond, [isAtCeiling ? ceiling * rough.below : 0, mostPerSecond]),
      ...inRange(`${path}.maxInFlight`, row.maxInFlight, [1, mostInFlight(row)]),
      ...differencesOf(`${path}.duplicates`, row.duplicates, duplicates(world)),
      ...(ordering === 'ordered'
        ? differencesOf(`${path}.outOfOrderPerKey`, row.outOfOrderPerKey, outOfOrder(world))
        : []),
    ]
  } finally {
    await world.close()
  }
}

/** K18. */
const tickCeiling = ({ ordering, maxPollRecords }: ThroughputRow): number =>
  ordering === 'ordered' ? maxPollRecords * 5 : 0

/** The connection pool of the dispatcher holds a hundred. */
const mostInFlight = ({ ordering, partitions, maxPollRecords }: ThroughputRow): number =>
  ordering === 'ordered' ? partitions : Math.min(100, 2 * maxPollRecords - 1)

const inRange = (path: string, captured: number, [from, to]: readonly [number, number]): readonly Difference[] =>
  captured >= from && captured <= to
    ? []
    : [{ path, expected: captured, got: `between ${Math.round(from)} and ${Math.round(to)}` }]

interface Backlog {
  readonly records: number
  readonly partitions: number
}

function backlog({ spec }: KafkaSourceSpec, { records, partitions }: Backlog): readonly SourceRecord[] {
  return Array.from({ length: records }, (_, index) => ({
    topic: spec.topics[0] ?? '',
    partition: index % partitions,
    offset: Math.floor(index / partitions),
    timestampMs: 1_788_257_730_123,
    key: Buffer.from(`k${index % partitions}`),
    headers: [['number', Buffer.from(String(index))]],
    value: Buffer.from('{}'),
  }))
}

const numbers = ({ sinks }: World): readonly (readonly [key: string, number: number])[] =>
  sinks.steps.map(({ record, request }) => [
    record,
    Number(request.rawHeaders.find(([name]) => name === 'ce-kafkaheadernumber')?.[1]),
  ])

const duplicates = (world: World): number => {
  const all = numbers(world).map(([, number]) => number)
  return all.length - new Set(all).size
}

function outOfOrder(world: World): number {
  const last = new Map<string, number>()
  let count = 0
  for (const [key, number] of numbers(world)) {
    if (number < (last.get(key) ?? -1)) count += 1
    last.set(key, number)
  }
  return count
}
