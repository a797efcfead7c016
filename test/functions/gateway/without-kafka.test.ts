// While the log is away the gateway goes on taking messages, as many as its outbox may hold.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { allotPorts } from '../../../local/runner/index.ts'
import { createEventLog } from '../../../shared/event-log/index.ts'
import { systemClock as clock } from '../../../shared/time/index.ts'
import { createOutbox } from '../../../shared/delivery/index.ts'
import { createInstruments } from '../../../shared/telemetry/index.ts'
import { until } from '../../support/index.ts'
import { post } from '../support/client.ts'
import { startGateway } from '../support/gateway-server.ts'
import { testLogger } from '../support/platform.ts'

test(
  'messages are taken up to the limit of the outbox, and again when some are out',
  { timeout: 60_000 },
  async (t) => {
    const [port = 0] = await allotPorts(1)
    const env = { KAFKA_BROKERS: `127.0.0.1:${port}`, SLUICE_OUTBOX_LIMIT: '3' }
    const { url, database } = await startGateway(t, { env })
    const send = (headers = {}) => post(`${url}/v1/session/message`, { message: 'hello' }, headers)
    for (let message = 1; message <= 3; message += 1) assert.equal((await send()).status, 202)
    for (let more = 1; more <= 20; more += 1) {
      const refused = await send({ 'idempotency-key': `key-${more}` })
      assert.equal(refused.status, 503)
      assert.equal(refused.body['code'], 'outbox_full')
      assert.equal(refused.headers.get('retry-after'), '5')
    }
    const { rows } = await database.query('SELECT (SELECT count(*) FROM agent.turn) AS turns')
    assert.deepEqual(rows, [{ turns: 3 }], 'what is refused leaves nothing behind')

    const log = testLogger()
    const relayed = createEventLog({ kafkaBrokers: [] }, { database, clock, log, name: 'relay' })
    const surroundings = { clock, log, instruments: createInstruments({ function: 'relay' }), random: Math.random }
    const relay = createOutbox({}, { ...surroundings, database, eventLog: relayed, failpoints: () => undefined })
    let published = 0
    await until('what waited is published', async () => (published += await relay.relay()) === 3)
    await until('the refused message is taken', async () => (await send({ 'idempotency-key': 'key-1' })).status === 202)
  },
)
