import assert from 'node:assert/strict'
import { test } from 'node:test'
import { kafkaForTests, redisForTests, startLoopbackServer } from '../support/index.ts'
import { startPlatform } from './support/index.ts'

test(
  'the same platform runs on Kafka and Redis, and a killed worker loses nothing there either',
  { timeout: 180_000 },
  async (t) => {
    const kafka = await kafkaForTests(t)
    const redis = kafka === undefined ? undefined : await redisForTests(t)
    if (kafka === undefined || redis === undefined) return
    const page = await startLoopbackServer(t, (_, response) => response.end('forty-two'))
    const platform = await startPlatform(t, {
      env: { KAFKA_BROKERS: kafka.brokers, REDIS_URL: redis.url, SLUICE_HTTP_FETCH_ALLOW: `127.0.0.1:${page.port}` },
      failpoints: { 'conversation-worker': 'delivery.before-commit=kill@2' },
    })
    const turn = await platform.send(`fetch ${page.url}/page`)
    await platform.process('conversation-worker').died('SIGKILL')
    assert.match(await turn.completed(60_000), /forty-two/)
    assert.equal(page.requests.length, 1)
    assert.ok(turn.watch.deltas.length > 0, 'pieces of the answer came through Redis')
    const { rows } = await platform.database.query<{ records: number }>(
      'SELECT count(*)::int AS records FROM sluice.log_record',
    )
    assert.deepEqual(rows, [{ records: 0 }], 'nothing went through the log in Postgres')
  },
)
