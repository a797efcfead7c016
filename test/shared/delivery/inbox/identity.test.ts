import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createDelivery } from '../../../../shared/delivery/index.ts'
import { contractOf, createWorkbench, incoming } from '../workbench.ts'

test('W-7: an id is that of one event of one source, for each function anew: nothing else is taken for its repeat', async (t) => {
  const bench = await createWorkbench(t)
  const ran: string[] = []
  const deliveryTo = (name: string) =>
    createDelivery(contractOf('transaction', { name }), async ({ source }) => void ran.push(`${name} ${source}`), bench)
  const [one, other] = [deliveryTo('one'), deliveryTo('other')]

  const outcomes = []
  for (const [delivery, source] of [
    [one, '/a'],
    [one, '/b'],
    [other, '/a'],
    [one, '/a'],
  ] as const)
    outcomes.push((await delivery.accept(incoming({ id: 'e', source }))).outcome)

  assert.deepEqual(outcomes, ['done', 'done', 'done', 'duplicate'])
  assert.deepEqual(ran, ['one /a', 'one /b', 'other /a'])
})
