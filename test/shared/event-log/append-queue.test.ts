import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SluiceError } from '../../../shared/errors/index.ts'
import { createAppendQueue } from '../../../shared/event-log/append-queue.ts'
import type { AppendRecord, Position } from '../../../shared/event-log/index.ts'

const record = (value: string | Buffer): AppendRecord => ({
  topic: 't',
  key: null,
  headers: [],
  value: Buffer.from(value),
})

/** Writes wait until the test lets them go on. */
function heldWriter() {
  const writes: { values: (string | undefined)[]; go: () => void; fail: (error: Error) => void }[] = []
  let next = 0
  const queue = createAppendQueue(async (records) => {
    const held = Promise.withResolvers<void>()
    writes.push({ values: records.map(({ value }) => value?.toString()), go: held.resolve, fail: held.reject })
    await held.promise
    return records.map((): Position => ({ partition: 0, offset: (next += 1) }))
  })
  return { queue, writes }
}

test('calls that come while a write is under way go together in the next one, in order', async () => {
  const { queue, writes } = heldWriter()
  const calls = ['a', 'b', 'c'].map((value) => queue.append([record(value), record(`${value}2`)]))
  assert.deepEqual(
    writes.map(({ values }) => values),
    [['a', 'a2']],
  )
  writes[0]?.go()
  await calls[0]
  assert.deepEqual(writes[1]?.values, ['b', 'b2', 'c', 'c2'])
  writes[1]?.go()
  assert.deepEqual(
    await Promise.all(calls),
    [
      [1, 2],
      [3, 4],
      [5, 6],
    ].map((offsets) => offsets.map((offset) => ({ partition: 0, offset }))),
  )
})

test('a write that fails fails its callers only, and the next one goes on', async () => {
  const { queue, writes } = heldWriter()
  const [first, second] = [queue.append([record('a')]), queue.append([record('b')])]
  const reason = new Error('lost')
  writes[0]?.fail(reason)
  await assert.rejects(first, (error) => error === reason)
  writes[1]?.go()
  assert.equal((await second).length, 1)
})

test('a call that is aborted while it waits is not written; one under way may be, and its caller hears of the abort', async () => {
  const { queue, writes } = heldWriter()
  const [one, two] = [new AbortController(), new AbortController()]
  const [under, waiting, last] = [
    queue.append([record('a')], one.signal),
    queue.append([record('b')], two.signal),
    queue.append([record('c')]),
  ]
  for (const [controller, call] of [
    [two, waiting],
    [one, under],
  ] as const) {
    const reason = new Error('not wanted')
    controller.abort(reason)
    await assert.rejects(call, (error) => error === reason)
  }
  writes[0]?.go()
  writes[0]?.go()
  await new Promise(setImmediate)
  writes[1]?.go()
  await last
  assert.deepEqual(
    writes.map(({ values }) => values),
    [['a'], ['c']],
  )
  await assert.rejects(queue.append([record('d')], one.signal))
})

test('a write takes no more than 500 records, and never less than one call', async () => {
  const { queue, writes } = heldWriter()
  const many = (count: number): AppendRecord[] => Array.from({ length: count }, () => record('x'))
  const calls = [many(1), many(300), many(200), many(1), many(900)].map((records) => queue.append(records))
  const sizes = [1, 500, 1, 900]
  for (const [at, size] of sizes.entries()) {
    assert.equal(writes[at]?.values.length, size)
    writes[at]?.go()
    await new Promise(setImmediate)
  }
  assert.deepEqual(
    (await Promise.all(calls)).map(({ length }) => length),
    [1, 300, 200, 1, 900],
  )
})

test('after stop nothing is taken, and stop waits for the write under way', async () => {
  const { queue, writes } = heldWriter()
  const call = queue.append([record('a')])
  let stopped = false
  const stopping = queue.stop().then(() => (stopped = true))
  await assert.rejects(
    queue.append([record('b')]),
    (error) => error instanceof SluiceError && error.code === 'event_log_unavailable',
  )
  assert.equal(stopped, false)
  writes[0]?.go()
  await Promise.all([call, stopping])
})
