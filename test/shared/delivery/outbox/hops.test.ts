// A chain of events ends: each emission for an event is one hop more than that event, and beyond the limit there is none.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createDelivery, type Delivery } from '../../../../shared/delivery/index.ts'
import { hopsOf } from '../../../../shared/delivery/outbox/hops.ts'
import { decodeRecord, toolCallFinished, topics } from '../../../../shared/events/index.ts'
import { contractOf, createWorkbench, finished, incoming, take, type Workbench } from '../workbench.ts'
import { until } from '../../../support/index.ts'

const emits = { produces: [{ topic: topics.toolResults, type: toolCallFinished }] }
const withHops = (hops: string) => {
  const { event, ...rest } = incoming({ id: `hops-${hops}` })
  return { ...rest, event: { ...event, extensions: { ...event.extensions, sluicehops: hops } } }
}

/** The hops that the outbox rows carry. */
const emittedHops = async (bench: Workbench) => {
  const sql = `SELECT event->>'sluicehops' AS hops FROM sluice.outbox WHERE topic = 'tool.results' ORDER BY sequence`
  return (await bench.rows<{ hops: string | null }>(sql)).map(({ hops }) => hops)
}

/** One function that emits a tool result for each event. */
function echo(bench: Workbench, execution: 'transaction' | 'steps', options: { beginsChain?: boolean } = {}): Delivery {
  const deps = { ...bench, hopLimit: 3 }
  const emission = { key: 's', ...options }
  return execution === 'transaction'
    ? createDelivery(
        contractOf('transaction', emits),
        async (_, { emit }) => void emit(toolCallFinished, finished('c'), emission),
        deps,
      )
    : createDelivery(
        contractOf('steps', emits),
        async (_, { commit }) => commit(async ({ emit }) => void emit(toolCallFinished, finished('c'), emission)),
        deps,
      )
}

for (const execution of ['transaction', 'steps'] as const) {
  test(`${execution}: an emission is a hop more than its event; the last hop passes, one more makes the event a dead letter`, async (t) => {
    const bench = await createWorkbench(t)
    const delivery = echo(bench, execution)
    for (const sent of [incoming({ id: 'first' }), withHops('1'), withHops('2'), withHops('3')]) {
      await delivery.accept(sent)
      for (const lane of await take(bench.database)) await delivery.run(lane.incoming, lane.token)
    }
    assert.deepEqual(await emittedHops(bench), ['1', '2', '3'])
    assert.deepEqual(await bench.rows('SELECT id, cause, attempts FROM sluice.dead_letter'), [
      { id: 'hops-3', cause: 'hop_limit', attempts: 1 },
    ])
  })
}

test('an event that has more hops than there may be is not run', async (t) => {
  const bench = await createWorkbench(t)
  const delivery = echo(bench, 'transaction')
  const answer = await delivery.accept(withHops('4'))
  assert.deepEqual(answer, { status: 202, outcome: 'dead', code: 'hop_limit' })
  assert.equal((await delivery.accept(withHops('4'))).outcome, 'duplicate')
  assert.deepEqual(await emittedHops(bench), [])
})

test('an event that takes up other work begins a chain of its own', async (t) => {
  const bench = await createWorkbench(t)
  await echo(bench, 'transaction', { beginsChain: true }).accept(withHops('3'))
  assert.deepEqual(await emittedHops(bench), [null])
})

test('what is no number of hops counts as none', () => {
  const counted = (text: string) => hopsOf({ extensions: { sluicehops: text } })
  assert.deepEqual(['', '-1', '1.5', 'x', '12', '999999999'].map(counted), [0, 0, 0, 0, 12, 999_999_999])
})

test('two functions that cause each other for ever come to an end', { timeout: 60_000 }, async (t) => {
  const bench = await createWorkbench(t)
  const deps = { ...bench, hopLimit: 5 }
  const back = contractOf('transaction', { ...emits, name: 'back' })
  const forth = contractOf('transaction', { ...emits, name: 'forth' })
  const handler = async (
    _: unknown,
    { emit }: { emit: Parameters<Parameters<typeof createDelivery<'transaction'>>[1]>[1]['emit'] },
  ) => void emit(toolCallFinished, finished('c'), { key: 's' })
  const deliveries = [createDelivery(back, handler, deps), createDelivery(forth, handler, deps)] as const
  await deliveries[0].accept(incoming({ id: 'begin' }))

  let runs = 1
  for (let offset = 0, quiet = false; !quiet;) {
    await until('everything emitted is published, by whoever has its key', async () => {
      await bench.outbox.relay()
      return (await bench.rows(`SELECT FROM sluice.outbox WHERE state = 'pending'`)).length === 0
    })
    quiet = true
    for (let partition = 0; partition < (await bench.eventLog.partitions('tool.results')); partition += 1) {
      const { next } = await bench.eventLog.bounds('tool.results', partition)
      if (offset >= next) continue
      const records = await bench.eventLog.read({
        topic: 'tool.results',
        partition,
        offset,
        maxRecords: 100,
        maxWaitMs: 0,
      })
      for (const record of records) {
        const decoded = decodeRecord(record)
        assert.ok(decoded.ok)
        const side = deliveries[runs % 2]
        await side?.accept({ ...decoded, raw: Buffer.alloc(0), topic: 'tool.results', key: 's' })
        runs += 1
      }
      offset = next
      quiet = false
    }
    assert.ok(runs < 50, 'the circle has an end')
  }
  assert.equal(runs, 6)
  assert.deepEqual(await bench.rows('SELECT cause FROM sluice.dead_letter'), [{ cause: 'hop_limit' }])
})
