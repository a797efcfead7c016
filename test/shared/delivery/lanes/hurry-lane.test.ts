import assert from 'node:assert/strict'
import { test } from 'node:test'
import { secret } from '../../../../shared/config/index.ts'
import { createDatabase } from '../../../../shared/database/index.ts'
import { hurryLane } from '../../../../shared/delivery/index.ts'
import { createLogger } from '../../../../shared/telemetry/index.ts'
import { systemClock as clock } from '../../../../shared/time/index.ts'
import { atEnd, createTestDatabase } from '../../../support/index.ts'

test('a waiting lane becomes due now; one that runs, is held, is due already or is another’s stays as it is', async (t) => {
  const { url } = await createTestDatabase(t)
  const limits = { poolSize: 2, statementTimeoutMs: 5_000, lockTimeoutMs: 1_000 }
  const log = createLogger({ function: 'test', level: 'silent' })
  const database = createDatabase({ url: secret(url), applicationName: 'test', ...limits }, { log, clock })
  await database.start(new AbortController().signal)
  atEnd(t, () => database.stop())
  await database.query(
    `INSERT INTO sluice.lane (function, key, tail, due_at, token, lease_until, held) VALUES
       ('f', 'waiting', 1, now() + interval '1 hour', NULL, NULL, NULL),
       ('f', 'running', 1, now() + interval '1 hour', gen_random_uuid(), now() + interval '1 minute', NULL),
       ('f', 'held', 1, now() + interval '1 hour', NULL, NULL, 'by a person'),
       ('f', 'due', 1, now() - interval '1 hour', NULL, NULL, NULL),
       ('g', 'waiting', 1, now() + interval '1 hour', NULL, NULL, NULL)`,
  )
  const hurried: string[] = []
  for (const key of ['waiting', 'running', 'held', 'due', 'unknown']) {
    if (await hurryLane(database, { function: 'f', key })) hurried.push(key)
  }
  assert.deepEqual(hurried, ['waiting'])
  const { rows } = await database.query(
    `SELECT function, key FROM sluice.lane WHERE due_at <= clock_timestamp() ORDER BY 1, 2`,
  )
  assert.deepEqual(rows, [
    { function: 'f', key: 'due' },
    { function: 'f', key: 'waiting' },
  ])
})
