import assert from 'node:assert/strict'
import { test } from 'node:test'
import { secret } from '../../../shared/config/index.ts'
import { SluiceError } from '../../../shared/errors/index.ts'
import { createKeyValue } from '../../../shared/key-value/index.ts'
import { createLogger } from '../../../shared/telemetry/index.ts'
import { systemClock as clock } from '../../../shared/time/index.ts'
import { projectRoot, startChild } from '../../support/index.ts'

const log = createLogger({ function: 'test', level: 'silent' })

test('with a URL the store is Redis, without one and without a database it is an error', async () => {
  const { keyValue } = createKeyValue({ redisUrl: secret('redis://127.0.0.1:1') }, { clock, log, name: 'test' })
  await assert.rejects(
    keyValue.get('key'),
    (error) => error instanceof SluiceError && error.code === 'key_value_unavailable',
  )
  assert.throws(
    () => createKeyValue({ redisUrl: undefined }, { clock, log, name: 'test' }),
    (error) => error instanceof SluiceError && error.code === 'invalid_option',
  )
})

test('a process whose store is Postgres does not load ioredis', async (t) => {
  const script = `await import('./shared/key-value/index.ts'); const { createRequire } = await import('node:module'); console.log('loaded', Object.keys(createRequire(import.meta.url).cache).some((file) => file.includes('ioredis')))`
  const child = startChild(t, ['--input-type=module', '--eval', script], { cwd: projectRoot })
  assert.equal(await child.line(/^loaded/), 'loaded false')
})
