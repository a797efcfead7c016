// Events that come from a source too late.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createDelivery } from '../../../../shared/delivery/index.ts'
import { contractOf, createWorkbench, incoming, take } from '../workbench.ts'

const tooOldMs = 14 * 86_400_000
const ofAge = (ageMs: number | undefined, topic?: string) => {
  const { event, ...rest } = incoming({ ...(topic === undefined ? {} : { topic }), id: `age-${ageMs}` })
  return {
    ...rest,
    event: ageMs === undefined ? event : { ...event, time: new Date(Date.now() - ageMs).toISOString() },
  }
}

for (const execution of ['transaction', 'steps'] as const) {
  test(`${execution}: an event that is older than what is known of done ones is a dead letter and does not run`, async (t) => {
    const bench = await createWorkbench(t)
    const ran: string[] = []
    const handler = async ({ id }: { readonly id: string }) => void ran.push(id)
    const deps = { ...bench, tooOldMs }
    const delivery =
      execution === 'transaction'
        ? createDelivery(contractOf('transaction'), handler, deps)
        : createDelivery(contractOf('steps'), handler, deps)
    const run = async () => {
      for (let lanes = await take(bench.database); lanes.length > 0; lanes = await take(bench.database)) {
        for (const lane of lanes) await delivery.run(lane.incoming, lane.token)
      }
    }
    const late = ofAge(tooOldMs + 60_000)
    assert.deepEqual(await delivery.accept(late), { status: 202, outcome: 'dead', code: 'too_old' })
    assert.equal((await delivery.accept(late)).outcome, 'duplicate')
    for (const inTime of [ofAge(tooOldMs - 60_000), ofAge(-3_600_000), ofAge(undefined)]) await delivery.accept(inTime)
    await run()
    assert.deepEqual(ran, [`age-${tooOldMs - 60_000}`, 'age--3600000', 'age-undefined'])

    // A person may send it on its way all the same. Its type has a schema that its data does not fit, so it is moved by hand here.
    const [letter] = await bench.rows<{ id: string; hash: Buffer }>(
      `SELECT d.dead_letter_id AS id, i.data_hash AS hash FROM sluice.dead_letter d JOIN sluice.inbox i USING (function, source, id)`,
    )
    assert.ok(letter)
    const values = [letter.id, letter.hash]
    await bench.rows(`SELECT sluice.redrive($1, NULL, $2, gen_random_uuid(), 'test', 'test')`, values)
    await run()
    assert.equal(ran.at(-1), late.event.id)
  })
}

test('word of a dead letter may be as old as it is', async (t) => {
  const bench = await createWorkbench(t)
  const delivery = createDelivery(contractOf('transaction'), async () => undefined, { ...bench, tooOldMs })
  assert.equal((await delivery.accept(ofAge(tooOldMs + 60_000, 'tool.requests.dlq'))).outcome, 'done')
})
