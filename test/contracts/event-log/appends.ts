// What an append must do: order, bytes, sizes, several who append at once.

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { maxRecordBytes, recordBytes, type AppendRecord, type EventLog } from '../../../shared/event-log/index.ts'
import { code, readAll, record, type Contract } from './fixture.ts'

export function appendContract(contract: Contract): void {
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
}

const nullAsEmpty = ([name, value]: AppendRecord['headers'][number]): readonly [string, Buffer] => [
  name,
  value ?? Buffer.alloc(0),
]

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
