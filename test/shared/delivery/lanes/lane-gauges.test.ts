import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createDelivery, createLaneGauges } from '../../../../shared/delivery/index.ts'
import { contractOf, createWorkbench, incoming } from '../workbench.ts'

test('the backlog of each function is told: events, the oldest, lanes held and waiting; and 0 when it is gone', async (t) => {
  const bench = await createWorkbench(t)
  const gauges = createLaneGauges(bench.instruments)
  const told = async (): Promise<readonly string[]> => {
    await gauges.refresh(bench.database)
    const text = await bench.instruments.registry.metrics()
    return text.split('\n').filter((line) => /^sluice_(parked|lanes_(held|waiting))/.test(line))
  }
  assert.deepEqual(await told(), [])
  const delivery = createDelivery(contractOf('steps'), async () => undefined, bench)
  for (const key of ['a', 'a', 'b', 'c']) await delivery.accept(incoming({ key }))
  await bench.database.query(`UPDATE sluice.parked SET at = clock_timestamp() - interval '90 s' WHERE key = 'b';
    UPDATE sluice.lane SET held = 'handler_failed' WHERE key = 'a'; UPDATE sluice.lane SET waits_for = 'model' WHERE key = 'c'`)

  const lines = await told()
  const valueOf = (metric: string) =>
    Number(lines.find((line) => line.startsWith(`${metric}{function="tested"}`))?.split(' ')[1])
  assert.deepEqual(
    ['sluice_parked_events', 'sluice_lanes_held', 'sluice_lanes_waiting'].map(valueOf),
    [4, 1, 1],
    lines.join('\n'),
  )
  const oldest = valueOf('sluice_parked_oldest_seconds')
  assert.ok(oldest >= 90 && oldest < 120, `${oldest}`)

  await bench.database.query('DELETE FROM sluice.parked; DELETE FROM sluice.lane')
  assert.deepEqual(
    (await told()).map((line) => line.split(' ')[1]),
    ['0', '0', '0', '0'],
  )
})
