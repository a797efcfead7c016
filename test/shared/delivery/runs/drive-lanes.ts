// Lanes without a driver, and an effect that shows what was done and in which order.

import type { Database } from '../../../../shared/database/index.ts'
import type { Delivery } from '../../../../shared/delivery/index.ts'
import { until } from '../../../support/index.ts'
import { take } from '../workbench.ts'

export const effects = 'CREATE TABLE effect (id text, n bigint GENERATED ALWAYS AS IDENTITY)'
export const insertEffect = 'INSERT INTO effect (id) VALUES ($1)'

/** Runs lanes, as the driver would, until none is left. */
export async function drive(database: Database, delivery: Delivery): Promise<void> {
  await until('all lanes are empty', async () => {
    for (const lane of await take(database)) await delivery.run(lane.incoming, lane.token)
    const { rows } = await database.query('SELECT FROM sluice.lane')
    return rows.length === 0
  })
}
