import assert from 'node:assert/strict'
import { chmodSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { dirname, join } from 'node:path'
import { test, type TestContext } from 'node:test'
import pg from 'pg'
import {
  atEnd,
  createTestDatabase,
  kafkaForTests,
  projectCache,
  projectRoot,
  redisForTests,
  startChild,
  startPostgresServer,
  temporaryFolder,
  until,
} from './index.ts'
import { apiVersionsRequest } from './services/kafka/broker-settings.ts'
import { firstAnswer, isExecutable, onPath } from './services/machine.ts'
import { findRedis } from './services/redis.ts'

const limit = { timeout: 120_000 }

async function connect(t: TestContext, url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {}) // cut off when the database is dropped
  await client.connect()
  atEnd(t, () => client.end().catch(() => {}))
  return client
}

test('each test gets a database of its own', limit, async (t) => {
  const one = await connect(t, (await createTestDatabase(t, { migrated: false })).url)
  const two = await connect(t, (await createTestDatabase(t, { migrated: false })).url)
  await one.query('CREATE TABLE mine (a int)')
  const { rows } = await two.query(`SELECT to_regclass('mine') AS found`)
  assert.deepEqual(rows, [{ found: null }])
})

test('a database has all migrations applied, or none where the test says so', limit, async (t) => {
  const migrated = await connect(t, (await createTestDatabase(t)).url)
  const empty = await connect(t, (await createTestDatabase(t, { migrated: false })).url)
  const schemas = `SELECT count(*)::int AS count FROM pg_namespace WHERE nspname = 'sluice'`
  assert.deepEqual((await migrated.query(schemas)).rows, [{ count: 1 }])
  assert.deepEqual((await empty.query(schemas)).rows, [{ count: 0 }])
})

test('a database is dropped at the end of its test, open connections or not', limit, async (t) => {
  let url = ''
  await t.test('a test that leaves a connection open', async (inner) => {
    url = (await createTestDatabase(inner, { migrated: false })).url
    const client = new pg.Client({ connectionString: url })
    client.on('error', () => {})
    await client.connect()
  })
  await assert.rejects(connect(t, url), { code: '3D000' })
})

test('a server for one test can be killed', limit, async (t) => {
  const server = await startPostgresServer(t)
  process.kill(server.pid, 'SIGKILL')
  assert.equal(await server.exited, 128 + 9)
})

test('Redis answers', limit, async (t) => {
  const redis = await redisForTests(t)
  if (redis === undefined) return
  assert.match(String(await firstAnswer(Number(new URL(redis.url).port), 'PING\r\n')), /^\+PONG/)
  assert.notEqual(redis.uniqueName('key'), redis.uniqueName('key'))
})

test('Kafka answers, and is one and the same for all tests', limit, async (t) => {
  const kafka = await kafkaForTests(t)
  if (kafka === undefined) return
  const port = Number(kafka.brokers.split(':')[1])
  assert.ok(((await firstAnswer(port, apiVersionsRequest))?.length ?? 0) > 10)
  assert.equal((await kafkaForTests(t))?.brokers, kafka.brokers)
})

test('a container engine that answers is used before the machine', limit, async (t) => {
  const real = [onPath('redis-server'), join(projectCache, 'redis', `debian-${process.arch}`, 'redis-server')].find(
    (file) => file !== undefined && isExecutable(file),
  )
  if (real === undefined) return t.skip('the stand-in for a container engine needs a redis-server')
  const folder = temporaryFolder(t)
  const engine = join(folder, 'docker')
  writeFileSync(engine, dockerStandIn(real))
  chmodSync(engine, 0o755)
  const path = process.env['PATH']
  process.env['PATH'] = `${folder}:${path}`
  atEnd(t, () => (process.env['PATH'] = path))
  const found = await findRedis()
  assert.ok(found.available)
  assert.match(String(await firstAnswer(Number(new URL(found.url).port), 'PING\r\n')), /^\+PONG/)
  await found.stop()
})

// `docker run … --publish 127.0.0.1:PORT:6379 IMAGE redis-server ARGS`, with the machine's own Redis in the container's place.
const dockerStandIn = (redis: string): string => `#!/bin/sh
case "$1" in
  info) echo '{}' ;;
  pull) echo pulled ;;
  run)
    while [ "$1" != --publish ]; do shift; done
    port=\${2#127.0.0.1:}; shift 4
    for folder in "${dirname(redis)}"/usr/lib/*; do export LD_LIBRARY_PATH="$folder"; done
    exec ${redis} --port "\${port%:6379}" "$@" ;;
esac
`

test('without a server the suite is skipped with the reason, and fails under CI', limit, async (t) => {
  const nothing = createServer((_, response) =>
    response.end(JSON.stringify({ result: { available: false, reason: 'no Kafka anywhere' } })),
  )
  atEnd(t, () => nothing.close())
  nothing.listen(0, '127.0.0.1')
  await until('it listens', () => nothing.listening)
  const { port } = nothing.address() as { port: number }
  const run = async (env: Readonly<Record<string, string>>): Promise<{ code: number | null; output: string }> => {
    const child = startChild(t, ['test/fixtures/run/needs-kafka.ts'], {
      cwd: projectRoot,
      env: { TEST_SERVICES_URL: `http://127.0.0.1:${port}/token`, ...env },
    })
    const { code } = await child.exited({ limitMs: 20_000 })
    return { code, output: child.lines.join('\n') }
  }
  const elsewhere = await run({})
  assert.equal(elsewhere.code, 0)
  assert.match(elsewhere.output, /no Kafka anywhere/)
  const ci = await run({ CI: 'true' })
  assert.equal(ci.code, 1)
  assert.match(ci.output, /CI needs this server: no Kafka anywhere/)
})
