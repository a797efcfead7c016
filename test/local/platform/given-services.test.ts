import assert from 'node:assert/strict'
import { createServer, type AddressInfo } from 'node:net'
import { once } from 'node:events'
import { test } from 'node:test'
import { givenKafka, givenPostgres, givenTriesMs, startGiven } from '../../../local/platform/given-services.ts'
import { allotPorts } from '../../../local/runner/index.ts'
import { loadConfig, secret } from '../../../shared/config/index.ts'
import { createDatabase } from '../../../shared/database/index.ts'
import { createLogger } from '../../../shared/telemetry/index.ts'
import { systemClock as clock } from '../../../shared/time/index.ts'
import { atEnd } from '../../support/index.ts'

const log = createLogger({ function: 'test', level: 'silent' })
const never = new AbortController().signal
const databaseAt = (url: string) =>
  createDatabase(
    {
      url: secret(url),
      poolSize: 1,
      statementTimeoutMs: 1_000,
      lockTimeoutMs: 1_000,
      applicationName: 'test',
      startTimeoutMs: givenTriesMs,
    },
    { clock, log },
  )

test('a Postgres that is not there is told by DATABASE_URL, without its password', { timeout: 20_000 }, async () => {
  const [port = 0] = await allotPorts(1)
  const url = `postgres://ann:hunter2@127.0.0.1:${port}/sluice`
  const given = givenPostgres(loadConfig({ DATABASE_URL: url }))
  const begun = performance.now()
  await assert.rejects(startGiven(given, databaseAt(url), never), (error: Error) => {
    assert.match(
      error.message,
      new RegExp(`^DATABASE_URL names 127\\.0\\.0\\.1:${port}/sluice, which cannot be used: .*ECONNREFUSED`),
    )
    assert.doesNotMatch(error.message, /hunter2/)
    return true
  })
  assert.ok(performance.now() - begun < 15_000, 'not after the half minute that a function waits')
})

test('a Postgres that says nothing is given up, too', { timeout: 20_000 }, async (t) => {
  const silent = createServer(() => {}).listen(0, '127.0.0.1')
  await once(silent, 'listening')
  atEnd(t, () => silent.close())
  const url = `postgres://ann@127.0.0.1:${(silent.address() as AddressInfo).port}/sluice`
  const started = startGiven(givenPostgres(loadConfig({ DATABASE_URL: url })), databaseAt(url), never)
  await assert.rejects(started, /^SluiceError: DATABASE_URL names .*no answer within 4 s/)
})

test('brokers are told by KAFKA_BROKERS; what nobody named is just started', async () => {
  const broken = {
    name: 'x',
    start: () => Promise.reject(new Error('no')),
    stop: async () => {},
    health: () => ({ status: 'down' as const }),
  }
  const kafka = givenKafka(loadConfig({ KAFKA_BROKERS: 'k1:9092,k2:9092' }))
  await assert.rejects(
    startGiven(kafka, broken, never),
    /KAFKA_BROKERS names k1:9092,k2:9092, which cannot be used: no$/,
  )
  await assert.rejects(startGiven(givenPostgres(loadConfig({})), broken, never), /^Error: no$/)
})
