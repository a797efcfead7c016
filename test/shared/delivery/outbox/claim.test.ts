import assert from 'node:assert/strict'
import { test } from 'node:test'
import { claimOutbox, distinctKeys, settleOutbox } from '../../../../shared/delivery/outbox/claim.ts'
import { storeEmitted } from '../../../../shared/delivery/outbox/store-emitted.ts'
import { createWorkbench, type Workbench } from '../workbench.ts'

const topic = 'tool.results'

const store = (bench: Workbench, keys: readonly string[]) =>
  storeEmitted(
    bench.database,
    keys.map((key, index) => ({ topic, key, id: `${key}-${index}`, tenant: 'acme', json: '{}' })),
    undefined,
  )

const names = (claim: Awaited<ReturnType<typeof claimOutbox>>) =>
  claim?.rows.map(({ key, sequence }) => `${key}${sequence}`)

test('a claim takes what is pending of free keys, in order, and of the given keys only', async (t) => {
  const bench = await createWorkbench(t)
  await store(bench, ['b', 'a', 'b', 'c'])
  assert.deepEqual(
    names(
      await claimOutbox(bench.database, [
        { topic, key: 'b' },
        { topic, key: 'none' },
      ]),
    ),
    ['b1', 'b2'],
  )
  assert.deepEqual(names(await claimOutbox(bench.database)), ['a1', 'c1'])
  assert.equal(await claimOutbox(bench.database), undefined)
})

test('a claim does not wait for another one under way, nor for an emitter, and takes nothing of theirs', async (t) => {
  const bench = await createWorkbench(t, { lockTimeoutMs: 5_000 })
  await store(bench, ['a', 'b', 'c'])
  const held = Promise.withResolvers<void>()
  const go = Promise.withResolvers<void>()
  const other = bench.database.transaction(async (tx) => {
    assert.deepEqual(names(await claimOutbox(tx, [{ topic, key: 'a' }])), ['a1'])
    await storeEmitted(tx, [{ topic, key: 'b', id: 'b-2', tenant: 'acme', json: '{}' }], undefined)
    held.resolve()
    await go.promise
  })
  await held.promise
  assert.deepEqual(names(await claimOutbox(bench.database)), ['c1']) // a wait would end in the lock timeout
  go.resolve()
  await other
  assert.deepEqual(names(await claimOutbox(bench.database)), ['b1', 'b2'])
})

test('settling marks what was sent, names the keys that have more, and a delay keeps the keys at rest', async (t) => {
  const bench = await createWorkbench(t)
  await store(bench, ['a', 'b'])
  const claim = await claimOutbox(bench.database)
  assert.ok(claim)
  await store(bench, ['a'])
  const [first] = claim.rows
  assert.ok(first)
  assert.deepEqual(
    (await settleOutbox(bench.database, claim, { sent: [{ ...first, partition: 4, offset: 9 }], delayMs: 60_000 }))
      .map(({ key }) => key)
      .toSorted(),
    ['a', 'b'],
  )
  assert.deepEqual(await bench.rows('SELECT state, partition, log_offset FROM sluice.outbox ORDER BY key, sequence'), [
    { state: 'sent', partition: 4, log_offset: 9 },
    { state: 'pending', partition: null, log_offset: null },
    { state: 'pending', partition: null, log_offset: null },
  ])
  assert.equal(await claimOutbox(bench.database), undefined, 'both keys rest')
  await bench.database.query('UPDATE sluice.outbox_key SET lease_until = clock_timestamp()')
  assert.deepEqual(names(await claimOutbox(bench.database)), ['a2', 'b1'])
})

test('keys are named once', () => {
  const keys = [
    { topic: 'a', key: 'b' },
    { topic: 'a', key: 'b' },
    { topic: 'ab', key: '' },
  ]
  assert.deepEqual(distinctKeys(keys), [keys[0], keys[2]])
})
