// A process refuses to start on a database that lacks migrations: it would fail later, in the middle of deliveries, with
// errors that name a column and not the cause. Newer migrations than ours are fine: that is a roll-out.

import { readdir } from 'node:fs/promises'
import type { Database } from '../database/index.ts'
import { SluiceError, sqlState } from '../errors/index.ts'
import type { Component } from '../lifecycle/index.ts'

const directory = new URL('../../schemas/database/', import.meta.url)

/** Runs once, between the database and whatever uses its tables. */
export const createSchemaCheck = (database: Pick<Database, 'query'>): Component => ({
  name: 'schema-check',
  start: async () => {
    const [expected, applied] = await Promise.all([newestFile(), newestApplied(database)])
    if (applied >= expected) return
    const found = applied === 0 ? 'no migration is applied' : `the newest applied migration is ${applied}`
    throw new SluiceError(
      'start_failed',
      `the database is not migrated: ${found}, this version needs ${expected}; run 'npx sluice migrate' against it first`,
    )
  },
  stop: async () => undefined,
  health: () => ({ status: 'up' }),
})

/** 1 where the files are not at hand, as in a bundle: then any migrated database will do. */
async function newestFile(): Promise<number> {
  const names = await readdir(directory).catch(() => [])
  return Math.max(1, ...names.map((name) => Number(/^(\d{4})-.*\.sql$/.exec(name)?.[1] ?? 0)))
}

async function newestApplied(database: Pick<Database, 'query'>): Promise<number> {
  try {
    const { rows } = await database.query<{ newest: number | null }>(
      'SELECT max(number) AS newest FROM sluice.migration',
    )
    return rows[0]?.newest ?? 0
  } catch (error) {
    const state = sqlState(error)
    if (state === '42P01' || state === '3F000') return 0 // no such table, no such schema
    throw error
  }
}
