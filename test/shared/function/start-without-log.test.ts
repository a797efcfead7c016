// A function that has Postgres starts and takes work while Kafka is away: what it emits waits in the outbox.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defineFunction } from '../../../shared/function/index.ts'
import { createHandler, ledgerSql, transactionLedger } from '../../fixtures/functions/transaction-ledger.ts'
import { allotPorts } from '../../../local/runner/index.ts'
import { createTestDatabase, until } from '../../support/index.ts'
import { openDatabase } from './open-database.ts'
import { exchange, post } from './raw-http.ts'
import { message, messageHeaders } from './receiver/start-event-server.ts'
import { startServiceOfTest } from './start-service.ts'

for (const needs of [['postgres'], ['postgres', 'kafka']] as const) {
  test(
    `a function that needs ${needs.join(' and ')} starts and takes events without Kafka`,
    { timeout: 60_000 },
    async (t) => {
      const { url } = await createTestDatabase(t)
      const database = await openDatabase(t, url)
      await database.query(ledgerSql)
      const [port = 0] = await allotPorts(1)
      const env = { DATABASE_URL: url, KAFKA_BROKERS: `127.0.0.1:${port}` }
      const definition = defineFunction({ ...transactionLedger, needs })
      const service = await startServiceOfTest(t, definition, { behaviour: createHandler(), env })
      const answer = await exchange(service.port, post(messageHeaders({ 'ce-id': 'e1' }), message('hello')))
      assert.equal(answer.status, 200)
      const { rows } = await database.query('SELECT state FROM sluice.outbox')
      assert.deepEqual(rows, [{ state: 'pending' }])
      const isNeeded = (needs as readonly string[]).includes('kafka')
      const ready = await until('readiness is known', async () => {
        const { status, body } = await exchange(service.port, 'GET /ready HTTP/1.1\r\nhost: x\r\n\r\n')
        return status === (isNeeded ? 503 : 200) && body
      })
      if (isNeeded) assert.match(ready, /"kafka"/)
    },
  )
}
