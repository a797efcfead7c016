// How the tests of this folder open a database.

import type { TestContext } from 'node:test'
import { secret } from '../../../shared/config/index.ts'
import { createDatabase, type Database, type DatabaseOptions } from '../../../shared/database/index.ts'
import { createLogger } from '../../../shared/telemetry/index.ts'
import { systemClock } from '../../../shared/time/index.ts'
import { atEnd } from '../../support/index.ts'

export const silent = createLogger({ function: 'test', level: 'silent' })

export function makeDatabase(url: string, options: Partial<DatabaseOptions> = {}): Database {
  const usual = { poolSize: 4, statementTimeoutMs: 10_000, lockTimeoutMs: 2_000, applicationName: 'test' }
  return createDatabase({ ...usual, url: secret(url), ...options }, { log: silent, clock: systemClock })
}

/** Started, and stopped at the end of the test. */
export async function openDatabase(
  t: TestContext,
  url: string,
  options: Partial<DatabaseOptions> = {},
): Promise<Database> {
  const database = makeDatabase(url, options)
  await database.start(t.signal)
  atEnd(t, () => database.stop())
  return database
}
