import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeOptions, loadConfig } from '../../../shared/config/index.ts'
import { SluiceError } from '../../../shared/errors/index.ts'

const refused = (environment: Record<string, string>, ...patterns: readonly RegExp[]): void => {
  assert.throws(
    () => loadConfig(environment),
    (error) => {
      assert.ok(error instanceof SluiceError)
      assert.equal(error.code, 'invalid_option')
      assert.equal(error.message.includes('\n'), false)
      for (const pattern of patterns) assert.match(error.message, pattern)
      return true
    },
  )
}

test('an empty environment gives the defaults that `describeOptions` shows', () => {
  const config = loadConfig({}) as unknown as Record<string, unknown>
  const rows = describeOptions()
  assert.ok(rows.length > 10)
  for (const { name, default: shown } of rows) {
    const value = config[name]
    if (typeof value === 'number' || typeof value === 'boolean') assert.equal(String(value), shown, name)
  }
})

test('an empty variable means the default', () => {
  assert.equal(loadConfig({ PORT: '' }).port, loadConfig({}).port)
})

test('an unknown SLUICE_ variable ends the start and is named', () => {
  refused({ SLUICE_OPERATION_PORT: '1' }, /SLUICE_OPERATION_PORT/, /not an option/)
})

test('variables of others are nobody’s business', () => {
  assert.doesNotThrow(() => loadConfig({ HOME: '/root', PORTS: 'x' }))
})

test('a bad value ends the start with the variable, the value and what is expected', () => {
  refused({ PORT: '80a' }, /PORT=80a/, /whole number from 0 to 65535/, /default 8080/)
  refused({ PORT: '65536' }, /65536/)
  refused({ SHUTDOWN_TIMEOUT_MS: '99' }, /from 100 to/)
  refused({ LOG_LEVEL: 'loud' }, /one of trace, debug/)
  refused({ SLUICE_TEST_MODE: 'yes' }, /true or false/)
  refused({ SLUICE_FAILPOINTS: 'kill' }, /name=value pairs/)
  refused({ MODEL_BASE_URL: 'localhost:80' }, /absolute http or https URL/)
})

test('a huge bad value is not repeated in full', () => {
  assert.throws(
    () => loadConfig({ PORT: '1'.repeat(10_000) }),
    (error) => error instanceof Error && error.message.length < 250,
  )
})

test('limits hold at both ends', () => {
  assert.equal(loadConfig({ PORT: '0' }).port, 0)
  assert.equal(loadConfig({ PORT: '65535' }).port, 65_535)
  assert.equal(loadConfig({ SHUTDOWN_TIMEOUT_MS: '100' }).shutdownTimeoutMs, 100)
})

test('lists, maps and URLs are read', () => {
  const config = loadConfig({
    KAFKA_BROKERS: ' a:1 ,b:2,',
    SLUICE_FAILPOINTS: 'delivery.before-commit=kill@2, other=kill',
    MODEL_BASE_URL: 'http://127.0.0.1:9/v1//',
  })
  assert.deepEqual(config.kafkaBrokers, ['a:1', 'b:2'])
  assert.deepEqual(
    [...config.failpoints],
    [
      ['delivery.before-commit', 'kill@2'],
      ['other', 'kill'],
    ],
  )
  assert.equal(config.modelBaseUrl, 'http://127.0.0.1:9/v1')
})

test('a secret is a handle, and no bad neighbour brings its value into an error', () => {
  const config = loadConfig({ DATABASE_URL: 'postgres://u:hunter2@h/d' })
  assert.equal(config.databaseUrl?.reveal(), 'postgres://u:hunter2@h/d')
  assert.equal(JSON.stringify(config).includes('hunter2'), false)
})

test('the configuration cannot be changed after it was read', () => {
  assert.ok(Object.isFrozen(loadConfig({})))
})

test('every option is declared under one variable, with help', () => {
  const rows = describeOptions()
  assert.equal(new Set(rows.map(({ variable }) => variable)).size, rows.length)
  assert.ok(rows.every(({ help, variable }) => help.length > 10 && /^[A-Z][A-Z0-9_]*$/.test(variable)))
})

test('a refused secret is named and not printed', () => {
  assert.throws(() => loadConfig({ DATABASE_URL: 'mysql://u:hunter2@h/d' }), {
    message: 'DATABASE_URL: expected a URL that begins with postgres:// or postgresql://',
  })
})
