import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createOutboxSync } from '../../../functions/outbox-sync/compose.ts'
import { outboxSync } from '../../../functions/outbox-sync/function.ts'
import { loadConfig } from '../../../shared/config/index.ts'
import { createTestDatabase } from '../../support/index.ts'
import { openDatabase, startForTest, testLogger } from '../support/platform.ts'

test('a tick does the chores, and the answer waits for them', { timeout: 30_000 }, async (t) => {
  const { url } = await createTestDatabase(t)
  const database = await openDatabase(t, url)
  const config = loadConfig({ DATABASE_URL: url, PORT: '0', SLUICE_OPERATIONS_PORT: '0' })
  const { port } = await startForTest(t, {
    definition: outboxSync,
    behaviour: { compose: createOutboxSync },
    config,
    log: testLogger(),
  })
  await database.query(
    `INSERT INTO agent.idempotency_key (tenant, key, request_hash, status, answer, at) VALUES ('local', 'old', '', 202, '{}', now() - interval '2 days')`,
  )
  const headers = {
    'content-type': 'application/json',
    'ce-specversion': '1.0',
    'ce-id': '1',
    'ce-source': '/ping',
    'ce-type': 'dev.knative.sources.ping',
  }
  const answer = await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', headers, body: '{}' })
  assert.ok(answer.status < 300, `${answer.status} ${await answer.text()}`)
  assert.equal((await database.query('SELECT FROM agent.idempotency_key')).rowCount, 0)
})
