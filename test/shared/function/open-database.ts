// The test's own way into the database of the function that it tests.

import type { TestContext } from 'node:test'
import { secret } from '../../../shared/config/index.ts'
import { createDatabase, type Database } from '../../../shared/database/index.ts'
import { createLogger } from '../../../shared/telemetry/index.ts'
import { systemClock } from '../../../shared/time/index.ts'
import { atEnd } from '../../support/index.ts'

export async function openDatabase(t: TestContext, url: string): Promise<Database> {
  const limits = { poolSize: 2, statementTimeoutMs: 5_000, lockTimeoutMs: 1_000 }
  const log = createLogger({ function: 'test', level: 'silent' })
  const database = createDatabase({ url: secret(url), applicationName: 'test', ...limits }, { log, clock: systemClock })
  await database.start(new AbortController().signal)
  atEnd(t, () => database.stop())
  return database
}
