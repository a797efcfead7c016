import assert from 'node:assert/strict'
import { test } from 'node:test'
import { secret } from '../../../shared/config/index.ts'
import { createDatabase } from '../../../shared/database/index.ts'
import { SluiceError } from '../../../shared/errors/index.ts'
import { createEventLog } from '../../../shared/event-log/index.ts'
import { createLogger } from '../../../shared/telemetry/index.ts'
import { systemClock as clock } from '../../../shared/time/index.ts'
import { projectRoot, startChild } from '../../support/index.ts'

const log = createLogger({ function: 'test', level: 'silent' })

test('without brokers the log lives in the database, with them in Kafka, without both it is an error', async () => {
  const database = createDatabase(
    {
      url: secret('postgres://127.0.0.1:1/x'),
      poolSize: 1,
      statementTimeoutMs: 100,
      lockTimeoutMs: 100,
      applicationName: 'test',
      connectTimeoutMs: 100,
    },
    { log, clock },
  )
  const deps = { database, clock, log, name: 'test' }
  await assert.rejects(createEventLog({ kafkaBrokers: [] }, deps).partitions('t'), /database/i)
  await assert.rejects(createEventLog({ kafkaBrokers: ['127.0.0.1:1'] }, deps).partitions('t'), /not started/)
  assert.throws(
    () => createEventLog({ kafkaBrokers: [] }, { ...deps, database: undefined }),
    (error) => error instanceof SluiceError && error.code === 'invalid_option',
  )
  await database.stop()
})

test('a process whose log lives in Postgres does not load kafkajs', async (t) => {
  const script = `await import('./shared/event-log/index.ts'); const { createRequire } = await import('node:module'); console.log('loaded', Object.keys(createRequire(import.meta.url).cache).some((file) => file.includes('kafkajs')))`
  const child = startChild(t, ['--input-type=module', '--eval', script], { cwd: projectRoot })
  assert.equal(await child.line(/^loaded/), 'loaded false')
})
