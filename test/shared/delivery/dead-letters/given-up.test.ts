import assert from 'node:assert/strict'
import { test } from 'node:test'
import { recordGivenUp, type GivenUp } from '../../../../shared/delivery/dead-letters/given-up.ts'
import { createWorkbench, incoming } from '../workbench.ts'

test('what a source gave up and a person replayed is no dead letter again when its mark is gone and its record is read anew', async (t) => {
  const bench = await createWorkbench(t)
  const { event } = incoming({ id: 'e1' })
  const givenUp: GivenUp = {
    function: 'tested',
    event,
    identified: true,
    topic: 'tool.requests',
    key: 'k',
    tenant: 'acme',
    cause: 'source_gave_up',
    message: 'no answer',
  }
  const record = () => bench.database.transaction((tx) => recordGivenUp(tx, givenUp))
  assert.equal(await record(), 'recorded')
  assert.equal(await record(), 'dead')
  await bench.database.query(`UPDATE sluice.dead_letter SET state = 'replayed'`)
  await bench.database.query('DELETE FROM sluice.inbox') // done long ago, and pruned
  assert.equal(await record(), 'known')
  assert.deepEqual(await bench.rows('SELECT state FROM sluice.dead_letter'), [{ state: 'replayed' }])
  assert.deepEqual(await bench.rows('SELECT * FROM sluice.inbox'), [])
})
