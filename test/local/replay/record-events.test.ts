import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as settled } from 'node:timers/promises'
import { recordEvents, type Recorded } from '../../../local/replay/index.ts'
import type { LogRecord, ReadOptions } from '../../../shared/event-log/index.ts'
import { encodeRecord } from '../../../shared/events/index.ts'

const topic = 'orders'

type MemoryLog = Parameters<typeof recordEvents>[1] & { append(records: readonly LogRecord[]): void }

/** A log in memory, as far as recording reads one. */
function createMemoryLog(partitions: number): MemoryLog {
  const records: LogRecord[] = []
  const of = (partition: number): readonly LogRecord[] => records.filter((record) => record.partition === partition)
  return {
    append: (added) => void records.push(...added),
    partitions: () => Promise.resolve(partitions),
    bounds: (_topic, partition) => Promise.resolve({ earliest: 0, next: of(partition).length }),
    read: ({ partition, offset, maxRecords }) =>
      Promise.resolve(
        of(partition)
          .filter((record) => record.offset >= offset)
          .slice(0, maxRecords),
      ),
  }
}

function eventRecord(partition: number, offset: number): LogRecord {
  const encoded = encodeRecord(
    {
      specversion: '1.0',
      id: `${partition}-${offset}`,
      source: '/s',
      type: 't',
      datacontenttype: 'application/json',
      data: {},
      extensions: {},
    },
    { key: 'k' },
  )
  return { timestampMs: 0, ...encoded, topic, partition, offset }
}

const shown = (recorded: readonly Recorded[]): readonly string[] =>
  recorded.map((one) => (one.kind === 'event' ? one.event.id : `skipped ${one.partition}/${one.offset}`))

const forEver = new AbortController().signal
async function read(log: MemoryLog, limit = Number.POSITIVE_INFINITY): Promise<readonly Recorded[]> {
  const recorded: Recorded[] = []
  for await (const one of recordEvents({ topic, from: 'earliest', limit }, log, forEver)) recorded.push(one)
  return recorded
}

test('everything in the log comes out, partition after partition, with its topic', async () => {
  const log = createMemoryLog(2)
  log.append([eventRecord(0, 0), eventRecord(1, 0), eventRecord(0, 1)])
  const recorded = await read(log)
  assert.deepEqual(shown(recorded), ['0-0', '0-1', '1-0'])
  assert.deepEqual(
    recorded.map((one) => one.kind === 'event' && one.event.extensions['sluicetopic']),
    [topic, topic, topic],
  )
})

test('more than one batch is read', async () => {
  const log = createMemoryLog(1)
  log.append(Array.from({ length: 250 }, (_, offset) => eventRecord(0, offset)))
  assert.equal((await read(log)).length, 250)
})

test('the limit counts events; records that are none are named and skipped', async () => {
  const log = createMemoryLog(1)
  log.append([{ ...eventRecord(0, 0), headers: [], value: null }, eventRecord(0, 1), eventRecord(0, 2)])
  assert.deepEqual(shown(await read(log, 1)), ['skipped 0/0', '0-1'])
})

test('from the end on, only what comes later is recorded', async () => {
  const log = createMemoryLog(1)
  log.append([eventRecord(0, 0)])
  const patient = { ...log, read: async (request: ReadOptions) => settled().then(() => log.read(request)) }
  const recording = recordEvents({ topic, from: 'latest', limit: 1 }, patient, forEver)
  const first = recording.next()
  await settled() // it has looked where the end is
  log.append([eventRecord(0, 1)])
  const { value } = await first
  assert.deepEqual(value?.kind === 'event' ? value.event.id : undefined, '0-1')
  await recording.return(undefined)
})
