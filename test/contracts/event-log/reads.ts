// What a read must do: begin anywhere, wait, end, and disturb no other.

import assert from 'node:assert/strict'
import { record, type Contract } from './fixture.ts'

export function readContract(contract: Contract): void {
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
}
