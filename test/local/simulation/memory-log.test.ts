import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SourceRecord } from '../../../local/kafka-source/index.ts'
import { createMemoryLog } from '../../../local/simulation/index.ts'

const record = (offset: number, partition = 0): SourceRecord => ({
  topic: 'orders',
  partition,
  offset,
  timestampMs: 0,
  key: null,
  headers: [],
  value: null,
})

test('records are read from an offset, whatever gaps there are and in whatever order they came', async () => {
  const log = createMemoryLog(2)
  log.append([record(7), record(3), record(0), record(1, 1)])
  const read = await log.read({ topic: 'orders', partition: 0, offset: 2, maxRecords: 1, maxWaitMs: 0 })
  assert.deepEqual(
    read.map(({ offset }) => offset),
    [3],
  )
  assert.deepEqual(await log.bounds('orders', 0), { earliest: 0, next: 8 })
  assert.deepEqual(await log.bounds('other', 0), { earliest: 0, next: 0 })
})

test('an append is hinted at, by topic', () => {
  const log = createMemoryLog(1)
  const heard: string[] = []
  const hint = log.onAppend((topic) => heard.push(topic))
  log.append([record(0), record(1)])
  hint.stop()
  log.append([record(2)])
  assert.deepEqual(heard, ['orders'])
})

test('commits are by topic and partition', async () => {
  const log = createMemoryLog((topic) => (topic === 'orders' ? 3 : 1))
  await log.commit('group', 'orders', { partition: 2, offset: 9 })
  assert.deepEqual([...(await log.committed('group', 'orders'))], [[2, 9]])
  assert.equal(await log.partitions('orders'), 3)
})
