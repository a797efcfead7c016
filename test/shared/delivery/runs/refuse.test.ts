// What is no event of the function: it never gets lost, and never twice into the dead letters.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createDelivery, type Refused } from '../../../../shared/delivery/index.ts'
import { until } from '../../../support/index.ts'
import { contractOf, createWorkbench, incoming, published, take } from '../workbench.ts'

const garbage: Refused = {
  raw: Buffer.from([0, 255, 34, 0]),
  headers: { 'content-type': 'application/json', 'ce-id': 'x', authorization: 'Bearer secret-token', cookie: 'a=b' },
  code: 'invalid_json',
  message: 'not valid JSON',
  topic: 'tool.requests',
  partition: 2,
  offset: 41,
  key: 's1',
}

test('bytes that are no event become a dead letter with bytes, headers without credentials and a copy; a redelivery adds none', async (t) => {
  const bench = await createWorkbench(t)
  const delivery = createDelivery(contractOf('steps'), async () => undefined, bench)
  assert.deepEqual(await delivery.reject(garbage), { status: 202, outcome: 'dead', code: 'invalid_json' })
  assert.deepEqual(await delivery.reject(garbage), { status: 200, outcome: 'duplicate' })
  assert.equal(
    (await delivery.reject({ ...garbage, offset: 42 })).outcome,
    'dead',
    'the same bytes at another place are another record',
  )

  const [dead] = await bench.rows('SELECT * FROM sluice.dead_letter WHERE log_offset = 41')
  assert.deepEqual(dead?.['raw'], garbage.raw)
  assert.deepEqual(dead?.['headers'], { 'content-type': 'application/json', 'ce-id': 'x' })
  assert.equal(dead?.['event'], null)
  const records = await until('the copies are published', async () => {
    const found = await published(bench.eventLog, 'tool.requests.dlq')
    return found.length === 2 && found
  })
  assert.deepEqual(records[0]?.data, garbage.raw)
  assert.equal(records[0]?.key, 's1')
  assert.equal(records[0]?.header('ce_sluicecause'), 'invalid_json')
  assert.equal(records[0]?.header('ce_id'), dead?.['dead_letter_id'])
})

test('bytes from nowhere in particular become one dead letter without a copy', async (t) => {
  const bench = await createWorkbench(t)
  const delivery = createDelivery(contractOf('steps'), async () => undefined, bench)
  const { raw, headers, code, message } = garbage
  for (const outcome of ['dead', 'duplicate'])
    assert.equal((await delivery.reject({ raw, headers, code, message })).outcome, outcome)
  assert.deepEqual(await bench.rows('SELECT FROM sluice.outbox'), [])
})

test('two binary events that cannot be read and have the same body differ by their attributes', async (t) => {
  const bench = await createWorkbench(t)
  const delivery = createDelivery(contractOf('steps'), async () => undefined, bench)
  const { raw, code, message } = garbage
  const attributes = { 'ce-id': 'x', 'ce-source': '/a', 'ce-time': 'yesterday' }
  const outcome = async (headers: Refused['headers']): Promise<string> =>
    (await delivery.reject({ raw, headers, code, message })).outcome
  assert.equal(await outcome(attributes), 'dead')
  assert.equal(await outcome({ ...attributes, 'ce-id': 'y' }), 'dead')
  assert.equal(await outcome({ ...attributes, 'content-type': 'text/plain' }), 'dead')
  const again = { traceparent: 'of this attempt', 'ce-time': 'yesterday', 'ce-source': '/a', 'ce-id': 'x' }
  assert.equal(
    await outcome(again),
    'duplicate',
    'neither the order of headers nor those of the attempt make it another',
  )
})

test('an event that is refused for its data takes its id: the inbox row is dead and a repeat is absorbed', async (t) => {
  const bench = await createWorkbench(t)
  const delivery = createDelivery(contractOf('transaction'), async () => assert.fail('must not run'), bench)
  const refused = { ...incoming({ id: 'e1' }), headers: {}, code: 'data_invalid', message: 'tool is missing' } as const
  assert.deepEqual(await delivery.reject(refused), { status: 202, outcome: 'dead', code: 'data_invalid' })
  assert.equal((await delivery.reject(refused)).outcome, 'duplicate')
  assert.deepEqual(await bench.rows('SELECT id, state FROM sluice.inbox'), [{ id: 'e1', state: 'dead' }])
  const [dead] = await bench.rows('SELECT id, cause, message, event FROM sluice.dead_letter')
  assert.match(JSON.stringify(dead?.['event']), /"id":"e1"/)
  const other = { ...refused, event: incoming({ id: 'e1', data: { n: 2 } }).event }
  assert.equal((await delivery.reject(other)).code, 'id_conflict')
})

test('a parked event that its function refuses now leaves the lane, which goes on', async (t) => {
  const bench = await createWorkbench(t)
  const ran: string[] = []
  const delivery = createDelivery(contractOf('steps'), async ({ id }) => void ran.push(id), bench)
  for (const id of ['e1', 'e2']) await delivery.accept(incoming({ id }))
  const [first] = await take(bench.database)
  assert.ok(first)
  const refused = {
    raw: Buffer.from('{}'),
    headers: {},
    code: 'data_invalid',
    message: 'stricter now',
    laneToken: first.token,
  } as const
  assert.equal((await delivery.reject(refused)).outcome, 'dead')
  assert.equal((await delivery.reject(refused)).outcome, 'stale')
  const [second] = await take(bench.database)
  assert.ok(second)
  await delivery.run(second.incoming, second.token)
  assert.deepEqual(ran, ['e2'])
  assert.deepEqual(await bench.rows('SELECT id, cause FROM sluice.dead_letter'), [{ id: 'e1', cause: 'data_invalid' }])
})
