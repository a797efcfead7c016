// What every adapter of the event log must do. Each test file of an adapter calls this with its own way to open a log.

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test, type TestContext } from 'node:test'
import {
  maxRecordBytes,
  recordBytes,
  type AppendRecord,
  type EventLog,
  type LogRecord,
} from '../../shared/event-log/index.ts'
import { until, type TcpProxy } from '../support/index.ts'
import { SluiceError } from '../../shared/errors/index.ts'

export interface OpenedLog {
  /** Starts a further instance on the same storage, as another process would. Stopped at the end of the test. */
  open(): Promise<EventLog>
  /** An instance whose way to the storage a test can break. */
  openThroughProxy(): Promise<{ readonly log: EventLog; readonly proxy: TcpProxy }>
  uniqueName(name: string): string
}

/** Opens the storage for one test; undefined when the test was skipped. */
export type OpenLog = (t: TestContext) => Promise<OpenedLog | undefined>

const limit = { timeout: 60_000 }

export function eventLogContract(adapter: string, openLog: OpenLog): void {
  const contract = (title: string, body: (fixture: Fixture) => Promise<void>): void => {
    test(`${adapter}: ${title}`, limit, async (t) => {
      const opened = await openLog(t)
      if (opened === undefined) return
      const log = await opened.open()
      const topic = async (partitions: number): Promise<string> => {
        const name = opened.uniqueName('contract')
        await log.ensureTopics([{ name, partitions }])
        return name
      }
      await body({ ...opened, log, topic })
    })
  }

  contract('an append tells where each record is, in the order given', async ({ log, topic }) => {
    const name = await topic(3)
    const keys = ['a', 'b', 'c', 'a', 'b', 'c', 'd', 'e'].map((key) => Buffer.from(key))
    const positions = await log.append(keys.map((key, at) => record(name, { key, value: `v${at}` })))
    assert.equal(positions.length, keys.length)
    for (const [at, position] of positions.entries()) {
      const [found] = await log.read({ topic: name, ...position, maxRecords: 1, maxWaitMs: 5_000 })
      assert.equal(found?.value?.toString(), `v${at}`)
      assert.equal(found?.offset, position.offset)
      assert.equal(found?.partition, position.partition)
    }
  })

  contract('records of one key stay in one partition, in the order of the calls', async ({ log, topic }) => {
    const name = await topic(4)
    const calls = Array.from({ length: 60 }, (_, at) =>
      log.append([record(name, { key: Buffer.from(`key-${at % 5}`), value: String(at) })]),
    )
    await Promise.all(calls)
    const records = await readAll(log, name)
    assert.equal(records.length, 60)
    for (let key = 0; key < 5; key += 1) {
      const ofKey = records.filter((found) => found.key?.toString() === `key-${key}`)
      assert.equal(new Set(ofKey.map(({ partition }) => partition)).size, 1)
      assert.deepEqual(
        ofKey.map(({ value }) => Number(value)),
        Array.from({ length: 12 }, (_, at) => at * 5 + key),
      )
    }
  })

  contract('records without a key spread over the partitions', async ({ log, topic }) => {
    const name = await topic(3)
    const positions = await log.append(Array.from({ length: 9 }, () => record(name, { key: null, value: 'x' })))
    assert.deepEqual(new Set(positions.map(({ partition }) => partition)), new Set([0, 1, 2]))
  })

  contract('a read begins at any offset and takes no more than asked', async ({ log, topic }) => {
    const name = await topic(1)
    await log.append(Array.from({ length: 20 }, (_, at) => record(name, { key: Buffer.from('k'), value: String(at) })))
    for (const offset of [0, 7, 19, 3]) {
      const records = await log.read({ topic: name, partition: 0, offset, maxRecords: 4, maxWaitMs: 5_000 })
      const expected = Array.from({ length: Math.min(4, 20 - offset) }, (_, at) => offset + at)
      assert.deepEqual(
        records.map((found) => found.offset),
        expected,
      )
      assert.deepEqual(
        records.map(({ value }) => Number(value)),
        expected,
      )
    }
    // Going on from where a read ended, in steps of any size, gives every record once.
    const seen: number[] = []
    for (let offset = 0; offset < 20;) {
      const records = await log.read({ topic: name, partition: 0, offset, maxRecords: 3, maxWaitMs: 5_000 })
      seen.push(...records.map((found) => found.offset))
      offset = (records.at(-1)?.offset ?? offset) + 1
    }
    assert.deepEqual(
      seen,
      Array.from({ length: 20 }, (_, at) => at),
    )
  })

  contract('keys, values and headers come back as bytes: null, empty, binary, repeated', async ({ log, topic }) => {
    const name = await topic(1)
    const binary = Buffer.from([0, 1, 0xff, 0xfe, 0xc3, 0x28])
    const sent: AppendRecord[] = [
      { topic: name, key: Buffer.from('k'), value: null, headers: [] },
      {
        topic: name,
        key: binary,
        value: Buffer.alloc(0),
        headers: [['empty', Buffer.alloc(0)]],
        timestampMs: 1_700_000_000_123,
      },
      {
        topic: name,
        key: null,
        value: binary,
        headers: [
          ['binary', binary],
          ['text', Buffer.from('é€𝄞')],
          ['nothing', null],
        ],
      },
      {
        topic: name,
        key: Buffer.alloc(0),
        value: Buffer.from('v'),
        headers: [
          ['ce_id', Buffer.from('1')],
          ['ce_id', Buffer.from('2')],
          ['ce_id', binary],
        ],
      },
    ]
    await log.append(sent)
    const records = await log.read({ topic: name, partition: 0, offset: 0, maxRecords: 10, maxWaitMs: 5_000 })
    assert.deepEqual(
      records.map(({ key, value, headers }) => ({ key, value, headers: headers.map(nullAsEmpty) })),
      sent.map(({ key, value, headers }) => ({ key, value, headers: headers.map(nullAsEmpty) })),
    )
    assert.equal(records[1]?.timestampMs, 1_700_000_000_123)
    assert.ok(Math.abs((records[0]?.timestampMs ?? 0) - Date.now()) < 60_000)
  })

  contract(
    'values of 64 KiB and of the largest size come back whole, in one append and in order',
    async ({ log, topic }) => {
      const name = await topic(1)
      const overhead = recordBytes(record(name, { key: Buffer.from('k'), value: '' }))
      const values = [65_536, maxRecordBytes - overhead, 10, 65_536, maxRecordBytes - overhead].map((bytes) =>
        randomBytes(bytes),
      )
      await log.append(values.map((value) => ({ topic: name, key: Buffer.from('k'), value, headers: [] })))
      const records = await readAll(log, name)
      assert.deepEqual(
        records.map(({ offset }) => offset),
        [0, 1, 2, 3, 4],
      )
      for (const [at, value] of values.entries()) assert.ok(records[at]?.value?.equals(value) === true, `value ${at}`)
    },
  )

  contract('a record over the limit is refused, and nothing of its append is stored', async ({ log, topic }) => {
    const name = await topic(1)
    const overhead = recordBytes(record(name, { key: Buffer.from('k'), value: '' }))
    const large = {
      topic: name,
      key: Buffer.from('k'),
      value: Buffer.alloc(maxRecordBytes - overhead + 1),
      headers: [],
    }
    await assert.rejects(
      log.append([record(name, { key: Buffer.from('k'), value: 'small' }), large]),
      code('event_too_large'),
    )
    assert.deepEqual(await log.bounds(name, 0), { earliest: 0, next: 0 })
  })

  contract('a read waits for a record and ends when one comes', async ({ log, open, topic }) => {
    const name = await topic(1)
    const reader = await open()
    await reader.partitions(name)
    const waiting = reader.read({ topic: name, partition: 0, offset: 0, maxRecords: 10, maxWaitMs: 30_000 })
    const started = performance.now()
    await log.append([record(name, { key: null, value: 'here' })])
    const records = await waiting
    assert.equal(records[0]?.value?.toString(), 'here')
    assert.ok(performance.now() - started < 5_000)
  })

  contract(
    'a read at the end gives nothing after its wait, and rejects when its signal aborts',
    async ({ log, topic }) => {
      const name = await topic(1)
      const started = performance.now()
      assert.deepEqual(await log.read({ topic: name, partition: 0, offset: 0, maxRecords: 1, maxWaitMs: 200 }), [])
      assert.ok(performance.now() - started >= 190)
      const stopping = new AbortController()
      const waiting = log.read(
        { topic: name, partition: 0, offset: 0, maxRecords: 1, maxWaitMs: 60_000 },
        stopping.signal,
      )
      const reason = new Error('enough')
      stopping.abort(reason)
      await assert.rejects(waiting, (error) => error === reason)
      assert.deepEqual(await log.read({ topic: name, partition: 0, offset: 5, maxRecords: 1, maxWaitMs: 300 }), [])
    },
  )

  contract('an append wakes listeners of its instance with the topic', async ({ log, topic }) => {
    const name = await topic(1)
    const woken = Promise.withResolvers<string>()
    const listening = log.onAppend((appended) => woken.resolve(appended))
    await log.append([record(name, { key: null, value: 'x' })])
    assert.equal(await woken.promise, name)
    listening.stop()
  })

  contract(
    'two appenders at once leave no gap and no repeat, and readers see offsets rise one by one',
    async ({ log, open, topic }) => {
      const name = await topic(2)
      const other = await open()
      const seen: number[] = []
      const watching = (async () => {
        for (let offset = 0; seen.length < 100;) {
          const records = await log.read({ topic: name, partition: 0, offset, maxRecords: 7, maxWaitMs: 10_000 })
          seen.push(...records.map((found) => found.offset))
          offset = (records.at(-1)?.offset ?? offset - 1) + 1
        }
      })()
      const [zero, one] = await keysOf(log, name)
      const append = (from: EventLog, who: string) =>
        Promise.all(
          Array.from({ length: 50 }, (_, at) =>
            from.append([
              record(name, { key: zero, value: `${who}${at}` }),
              record(name, { key: one, value: `${who}${at}` }),
            ]),
          ),
        )
      const positions = (await Promise.all([append(log, 'a'), append(other, 'b')])).flat(2)
      for (const partition of [0, 1]) {
        const offsets = positions.filter((position) => position.partition === partition).map(({ offset }) => offset)
        const first = Math.min(...offsets)
        assert.deepEqual(
          offsets.toSorted((a, b) => a - b),
          Array.from({ length: 100 }, (_, at) => first + at),
        )
      }
      await watching
      assert.deepEqual(
        seen.slice(0, 100),
        Array.from({ length: 100 }, (_, at) => at),
      )
    },
  )

  contract('readers of one partition at different offsets do not disturb each other', async ({ log, topic }) => {
    const name = await topic(1)
    await log.append(Array.from({ length: 30 }, (_, at) => record(name, { key: null, value: String(at) })))
    const readers = [0, 10, 25].map(async (from) => {
      const seen: number[] = []
      for (let offset = from; offset < 30;) {
        const records = await log.read({ topic: name, partition: 0, offset, maxRecords: 2, maxWaitMs: 10_000 })
        seen.push(...records.map((found) => found.offset))
        offset = (records.at(-1)?.offset ?? offset - 1) + 1
      }
      return seen
    })
    for (const [at, seen] of (await Promise.all(readers)).entries()) {
      const from = [0, 10, 25][at] ?? 0
      assert.deepEqual(
        seen,
        Array.from({ length: 30 - from }, (_, index) => from + index),
      )
    }
  })

  contract('bounds tell the earliest offset and the next one', async ({ log, topic }) => {
    const name = await topic(1)
    assert.deepEqual(await log.bounds(name, 0), { earliest: 0, next: 0 })
    await log.append([record(name, { key: null, value: 'x' }), record(name, { key: null, value: 'y' })])
    assert.deepEqual(await log.bounds(name, 0), { earliest: 0, next: 2 })
  })

  contract('committed offsets survive a reopening and are a group’s own', async ({ log, open, topic, uniqueName }) => {
    const name = await topic(2)
    const [first, second] = [uniqueName('group-a'), uniqueName('group-b')]
    await log.append(Array.from({ length: 10 }, () => record(name, { key: null, value: 'x' })))
    assert.deepEqual(await log.committed(first, name), new Map())
    await log.commit(first, name, { partition: 0, offset: 3 })
    await log.commit(second, name, { partition: 0, offset: 1 })
    await log.commit(second, name, { partition: 1, offset: 2 })
    await log.commit(first, name, { partition: 0, offset: 4 })
    const reopened = await open()
    assert.deepEqual(await reopened.committed(first, name), new Map([[0, 4]]))
    assert.deepEqual(
      await reopened.committed(second, name),
      new Map([
        [0, 1],
        [1, 2],
      ]),
    )
  })

  contract('an unknown topic or partition is an error with a code', async ({ log, topic, uniqueName }) => {
    const name = uniqueName('nowhere')
    const read = { partition: 0, offset: 0, maxRecords: 1, maxWaitMs: 0 }
    await assert.rejects(log.append([record(name, { key: null, value: 'x' })]), code('unknown_topic'))
    await assert.rejects(log.read({ topic: name, ...read }), code('unknown_topic'))
    await assert.rejects(log.partitions(name), code('unknown_topic'))
    await assert.rejects(log.commit('group', name, { partition: 0, offset: 0 }), code('unknown_topic'))
    const known = await topic(1)
    await assert.rejects(log.read({ topic: known, ...read, partition: 1 }), code('unknown_topic'))
    await assert.rejects(log.bounds(known, 1), code('unknown_topic'))
  })

  contract(
    'ensuring topics that exist changes nothing, also from several instances at once',
    async ({ log, open, uniqueName }) => {
      const names = ['x', 'y', 'z'].map(uniqueName)
      const other = await open()
      const declared = names.map((name) => ({ name, partitions: 2 }))
      await Promise.all([log.ensureTopics(declared), other.ensureTopics(declared.toReversed())])
      await log.append([record(names[0] ?? '', { key: Buffer.from('k'), value: 'x' })])
      await other.ensureTopics(names.map((name) => ({ name, partitions: 5 })))
      for (const name of names) assert.equal(await other.partitions(name), 2)
      assert.equal((await readAll(other, names[0] ?? '')).length, 1)
    },
  )

  contract(
    'while the storage is out of reach calls fail with a code, and later calls succeed on the same instance',
    async (fixture) => {
      const name = await fixture.topic(1)
      const { log, proxy } = await fixture.openThroughProxy()
      const read = { topic: name, partition: 0, offset: 0, maxRecords: 10, maxWaitMs: 100 }
      await log.append([record(name, { key: null, value: 'before' })])
      await log.read(read)
      proxy.cut()
      const unavailable = code('event_log_unavailable')
      await Promise.all([
        assert.rejects(log.append([record(name, { key: null, value: 'lost' })]), unavailable),
        assert.rejects(log.read(read), unavailable),
        assert.rejects(log.commit('group', name, { partition: 0, offset: 1 }), unavailable),
        assert.rejects(log.bounds(name, 0), unavailable),
      ])
      await until('health says so', () => log.health().status === 'down')
      await log.partitions(name)
      assert.equal(log.health().status, 'down', 'an answer from memory proves nothing')
      proxy.mend()
      await until('an append succeeds', () => log.append([record(name, { key: null, value: 'after' })]), {
        limitMs: 20_000,
      })
      const records = await until('a read succeeds', () => log.read(read), { limitMs: 20_000 })
      assert.deepEqual(
        records.map(({ value }) => value?.toString()),
        ['before', 'after'],
      )
      await until('a commit succeeds', () => log.commit('group', name, { partition: 0, offset: 1 }).then(() => true), {
        limitMs: 20_000,
      })
      await until('health says so', () => log.health().status === 'up')
    },
  )

  contract('a reader that waits goes on after a lost connection', async (fixture) => {
    const name = await fixture.topic(1)
    const { log, proxy } = await fixture.openThroughProxy()
    await log.partitions(name)
    const waiting = until(
      'the record comes',
      async () => {
        const records = await log.read({ topic: name, partition: 0, offset: 0, maxRecords: 1, maxWaitMs: 2_000 })
        return records[0]
      },
      { limitMs: 20_000 },
    )
    proxy.cut()
    proxy.mend()
    await fixture.log.append([record(name, { key: null, value: 'here' })])
    assert.equal((await waiting).value?.toString(), 'here')
  })

  contract('a stopped log refuses work, ends reads that wait, and may be stopped again', async ({ open, topic }) => {
    const name = await topic(1)
    const log = await open()
    const waiting = log.read({ topic: name, partition: 0, offset: 0, maxRecords: 1, maxWaitMs: 60_000 })
    const ended = assert.rejects(waiting, SluiceError)
    await log.partitions(name)
    await log.stop()
    await ended
    await assert.rejects(log.append([record(name, { key: null, value: 'x' })]), code('event_log_unavailable'))
    await log.stop()
  })
}

interface Fixture extends OpenedLog {
  readonly log: EventLog
  topic(partitions: number): Promise<string>
}

const record = (
  topic: string,
  { key, value }: { readonly key: Buffer | null; readonly value: string },
): AppendRecord => ({
  topic,
  key,
  value: Buffer.from(value),
  headers: [],
})

const nullAsEmpty = ([name, value]: AppendRecord['headers'][number]): readonly [string, Buffer] => [
  name,
  value ?? Buffer.alloc(0),
]

const code =
  (expected: string) =>
  (error: unknown): boolean =>
    error instanceof SluiceError && error.code === expected

/** Everything from the earliest record on, partition after partition. */
async function readAll(log: EventLog, topic: string): Promise<readonly LogRecord[]> {
  const all: LogRecord[] = []
  for (let partition = 0; partition < (await log.partitions(topic)); partition += 1) {
    const { earliest, next } = await log.bounds(topic, partition)
    for (let offset = earliest; offset < next;) {
      const records = await log.read({ topic, partition, offset, maxRecords: 100, maxWaitMs: 5_000 })
      assert.ok(records.length > 0, `nothing at ${topic}/${partition}/${offset}`)
      all.push(...records)
      offset = (records.at(-1)?.offset ?? offset) + 1
    }
  }
  return all
}

/** A key for each of the first two partitions, found by asking the log; leaves one record in each. */
async function keysOf(log: EventLog, topic: string): Promise<readonly [Buffer, Buffer]> {
  const found = new Map<number, Buffer>()
  for (let at = 0; found.size < 2; at += 1) {
    const key = Buffer.from(`probe-${at}`)
    const [position] = await log.append([record(topic, { key, value: 'probe' })])
    if (position !== undefined && !found.has(position.partition)) found.set(position.partition, key)
  }
  return [found.get(0) ?? Buffer.alloc(0), found.get(1) ?? Buffer.alloc(0)]
}
