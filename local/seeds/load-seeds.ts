// Puts seeds into the database. Idempotent: a row is found by its key and gets the values of the seed; rows that are in no
// seed stay as they are.

import { join } from 'node:path'
import type { Database, Transaction } from '../../shared/database/index.ts'
import { SluiceError, messageOf } from '../../shared/errors/index.ts'
import { readSeeds } from './read-seeds.ts'
import type { SeedTable } from './seed-tables.ts'

export interface SeedOptions {
  /** The project folder. */
  readonly root: string
}

/** All seeds in one transaction. Resolves with the number of rows written or confirmed. */
export async function loadSeeds(database: Pick<Database, 'transaction'>, { root }: SeedOptions): Promise<number> {
  const seeds = await readSeeds(join(root, 'local', 'seeds'))
  return database.transaction(async (tx) => {
    let count = 0
    for (const { table, rows } of seeds) {
      for (const row of rows) await upsert(tx, table, row)
      count += rows.length
    }
    return count
  })
}

/** Loads the seeds when the database has no tenant yet. Resolves with the number of rows, 0 when there was nothing to do. */
export async function seedEmptyDatabase(database: Database, options: SeedOptions): Promise<number> {
  const { rowCount } = await database.query('SELECT FROM agent.tenant LIMIT 1')
  return rowCount === 0 ? loadSeeds(database, options) : 0
}

async function upsert(
  tx: Transaction,
  { name, key, json }: SeedTable,
  row: Readonly<Record<string, unknown>>,
): Promise<void> {
  const columns = Object.keys(row)
  const missing = key.find((column) => !columns.includes(column))
  const odd = columns.find((column) => !/^[a-z_]+$/.test(column))
  if (missing !== undefined || odd !== undefined) {
    throw new SluiceError(
      'invalid_option',
      `a seed of ${name} ${missing === undefined ? `has the column '${odd}'` : `lacks ${missing}`}`,
    )
  }
  const others = columns.filter((column) => !key.includes(column))
  const update =
    others.length === 0
      ? 'NOTHING'
      : `UPDATE SET ${others.map((column) => `${column} = excluded.${column}`).join(', ')}`
  const sql = `INSERT INTO agent.${name} (${columns.join(', ')}) VALUES (${columns.map((_, index) => `$${index + 1}`).join(', ')})
    ON CONFLICT (${key.join(', ')}) DO ${update}`
  const values = columns.map((column) => (json.includes(column) ? JSON.stringify(row[column]) : row[column]))
  try {
    await tx.query(sql, values)
  } catch (error) {
    const which = key.map((column) => String(row[column])).join('/')
    throw new SluiceError('invalid_option', `the seed ${name} ${which} was refused: ${messageOf(error)}`, {
      cause: error,
    })
  }
}
