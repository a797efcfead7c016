import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createOutboxGauges } from '../../../../shared/delivery/index.ts'
import { createWorkbench } from '../workbench.ts'

test('what waits to be published is told: rows, and the age of the oldest; and 0 when nothing waits', async (t) => {
  const bench = await createWorkbench(t)
  const { outboxPending, outboxOldest } = bench.instruments
  const gauges = createOutboxGauges(bench.instruments)
  const told = async () => {
    await gauges.refresh(bench.database)
    const [pending, oldest] = await Promise.all([outboxPending.get(), outboxOldest.get()])
    return [pending.values[0]?.value, oldest.values[0]?.value] as const
  }
  assert.deepEqual(await told(), [0, 0])

  await bench.database
    .query(`INSERT INTO sluice.outbox_key (topic, key, next, sent) VALUES ('t', 'a', 4, 1), ('t', 'b', 2, 0), ('t', 'c', 9, 8);
    INSERT INTO sluice.outbox (topic, key, sequence, id, tenant, event, at)
    SELECT 't', key, sequence, 'id', 'local', '{}', clock_timestamp() - age * interval '1 s'
    FROM (VALUES ('a', 1, 500), ('a', 2, 90), ('a', 3, 80), ('b', 1, 20)) AS r (key, sequence, age)`)
  const [pending, oldest = 0] = await told()
  assert.equal(pending, 3)
  assert.ok(oldest >= 90 && oldest < 200, `${oldest}`)

  await bench.database.query('UPDATE sluice.outbox_key SET sent = next - 1')
  assert.deepEqual(await told(), [0, 0])
})
