import assert from 'node:assert/strict'
import type { RequestListener } from 'node:http'
import { test, type TestContext } from 'node:test'
import { createMemorySync } from '../../../functions/memory-sync/compose.ts'
import { memorySync } from '../../../functions/memory-sync/function.ts'
import type { SendOptions } from '../../../functions/memory-sync/send-writes.ts'
import { loadConfig } from '../../../shared/config/index.ts'
import type { Database } from '../../../shared/database/index.ts'
import type { Service } from '../../../shared/function/start-service.ts'
import { planReplay, replayDeadLetters } from '../../../shared/delivery/index.ts'
import { claimMemoryWrites, memoryWork, storeMemoryWrite } from '../../../shared/memory/index.ts'
import { systemClock as clock } from '../../../shared/time/index.ts'
import { createTestDatabase, startLoopbackServer, type LoopbackServer } from '../../support/index.ts'
import { metric, passingOn, startMemoryService } from '../support/memory.ts'
import { openDatabase, startForTest, testLogger } from '../support/platform.ts'

interface Sync {
  readonly database: Database
  readonly service: Service
  /** Another process on the same database. */
  another(): Promise<Sync>
  /** Sends a tick and waits until it is answered. */
  tick(): Promise<number>
  /** Stores a write and lets it be due at once. */
  store(
    key: string,
    more?: { readonly tenant?: string; readonly id?: string; readonly content?: string },
  ): Promise<void>
  waiting(): Promise<
    readonly { readonly memory_key: string; readonly attempts: number; readonly cause: string | null }[]
  >
}

async function startSync(t: TestContext, url: string, options: Partial<SendOptions> = {}): Promise<Sync> {
  return startSyncOn(t, (await createTestDatabase(t)).url, { url, options })
}

interface SyncOptions {
  readonly url: string
  readonly options: Partial<SendOptions>
}

async function startSyncOn(t: TestContext, databaseUrl: string, { url, options }: SyncOptions): Promise<Sync> {
  const database = await openDatabase(t, databaseUrl)
  const config = loadConfig({
    DATABASE_URL: databaseUrl,
    PORT: '0',
    SLUICE_OPERATIONS_PORT: '0',
    MEMORY_SERVICE_URL: url,
  })
  const behaviour = {
    compose: (resources: Parameters<typeof createMemorySync>[0]) => createMemorySync(resources, options),
  }
  const service = await startForTest(t, { definition: memorySync, behaviour, config, log: testLogger() })
  return {
    database,
    service,
    another: () => startSyncOn(t, databaseUrl, { url, options }),
    tick: async () => {
      const headers = {
        'ce-specversion': '1.0',
        'ce-id': 'tick',
        'ce-source': '/test',
        'ce-type': 'dev.knative.sources.ping',
      }
      const response = await fetch(`http://127.0.0.1:${service.port}/`, { method: 'POST', headers })
      await response.arrayBuffer()
      return response.status
    },
    store: async (key, { tenant = 'local', id = `id-${key}`, content = `about ${key}` } = {}) => {
      await storeMemoryWrite(database, { tenant, idempotencyKey: id, memory: { key, content } })
      await database.query(`UPDATE agent.memory_write_outbox SET due_at = now()`)
    },
    waiting: async () =>
      (
        await database.query<{ memory_key: string; attempts: number; cause: string | null }>(
          'SELECT memory_key, attempts, cause FROM agent.memory_write_outbox ORDER BY write_id',
        )
      ).rows,
  }
}

/** Without the probes that tell the function whether memory-service is there. */
const writesTo = ({ requests }: LoopbackServer): LoopbackServer['requests'] =>
  requests.filter(({ method }) => method === 'POST')

const answering =
  (status: number, headers: Readonly<Record<string, string>> = {}): RequestListener =>
  (request, response) => {
    request.resume()
    request.on('end', () => {
      response.writeHead(status, { 'content-type': 'application/json', ...headers })
      response.end(JSON.stringify(status < 300 ? { key: 'k', position: '1@k' } : { code: 'internal' }))
    })
  }

const soon: Partial<SendOptions> = { backoff: { firstMs: 1, maxMs: 1 }, outageMs: 1 }
const later: Partial<SendOptions> = { backoff: { firstMs: 3_600_000, maxMs: 3_600_000 }, outageMs: 3_600_000 }

test('writes that waited reach memory-service, each once', { timeout: 60_000 }, async (t) => {
  const memory = await startMemoryService(t)
  const sync = await startSync(t, memory.url)
  for (const key of ['a', 'b', 'c']) await sync.store(key)
  await sync.store('a', { tenant: 'other', id: 'id-a' })
  assert.equal(await sync.tick(), 200)
  assert.deepEqual(await sync.waiting(), [])
  const { rows } = await memory.database.query(
    'SELECT tenant, key, sequence, content FROM agent.memory_record ORDER BY tenant, key',
  )
  assert.deepEqual(rows, [
    { tenant: 'local', key: 'a', sequence: 1, content: 'about a' },
    { tenant: 'local', key: 'b', sequence: 1, content: 'about b' },
    { tenant: 'local', key: 'c', sequence: 1, content: 'about c' },
    { tenant: 'other', key: 'a', sequence: 1, content: 'about a' },
  ])
  assert.equal(await metric(sync.service, 'sluice_memory_writes_waiting'), 0)
})

test('W-11, W-17: a write whose answer was lost is sent again under the same key and written once', async (t) => {
  const memory = await startMemoryService(t)
  let lost = 1
  const between = await startLoopbackServer(t, passingOn(memory.url, { losesAnswer: () => lost-- > 0 }))
  const sync = await startSync(t, between.url, soon)
  await sync.store('k')
  await sync.tick()
  assert.equal(writesTo(between).length, 2)
  const keys = writesTo(between).map(({ headers }) => headers['idempotency-key'])
  assert.deepEqual(keys, ['id-k', 'id-k'])
  assert.deepEqual(await sync.waiting(), [])
  const { rows } = await memory.database.query('SELECT key, sequence FROM agent.memory_record')
  assert.deepEqual(rows, [{ key: 'k', sequence: 1 }])
})

test('a memory that is refused becomes a dead letter at once, and the next write of its key goes on', async (t) => {
  const memory = await startMemoryService(t)
  const sync = await startSync(t, memory.url)
  await sync.store('k', { id: 'bad', content: '' })
  await sync.store('k', { id: 'good', content: 'fine' })
  await sync.tick()
  assert.deepEqual(await sync.waiting(), [])
  const { rows } = await sync.database.query<{ raw: Buffer }>(
    'SELECT function, source, id, tenant, cause, attempts, state, raw FROM sluice.dead_letter',
  )
  const [dead] = rows
  assert.ok(dead !== undefined && rows.length === 1)
  const { raw, ...facts } = dead
  assert.deepEqual(facts, {
    function: 'memory-sync',
    source: '/sluice/memory-sync',
    id: 'bad',
    tenant: 'local',
    cause: 'invalid_request',
    attempts: 1,
    state: 'dead',
  })
  assert.deepEqual(JSON.parse(raw.toString()), { key: 'k', content: '' })
  assert.equal((await memory.ask('GET', '/v1/memory/k')).body['content'], 'fine')
  const response = await fetch(`http://127.0.0.1:${sync.service.operationsPort}/metrics`)
  assert.match(await response.text(), /sluice_memory_writes_total\{outcome="dead",function="memory-sync"\} 1/)
})

test('a dead letter of a memory is sent once more by a replay, and is a dead letter again when it fails again', async (t) => {
  const answers = [413, 413, 201]
  const server = await startLoopbackServer(t, (request, response) => {
    const status = request.url?.endsWith('/remember') === true ? (answers.shift() ?? 500) : 200 // the others look whether it lives
    const body = status === 201 ? { key: 'k', position: '1@k' } : { code: 'body_too_large' }
    request
      .resume()
      .on('end', () => response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body)))
  })
  const sync = await startSync(t, server.url)
  await sync.store('k', { id: 'event-1' })
  await sync.tick()

  assert.deepEqual([...memoryWork.keys()], [memorySync.name])
  const replay = () =>
    replayDeadLetters(
      { filter: { state: 'dead' }, operator: { by: 'test', reason: 'smaller now' } },
      { database: sync.database, clock, works: memoryWork },
      new AbortController().signal,
    )
  const dead = async () =>
    (await sync.database.query<{ state: string }>('SELECT state FROM sluice.dead_letter ORDER BY at')).rows.map(
      ({ state }) => state,
    )
  const { groups } = await planReplay(sync.database, {}, memoryWork)
  assert.deepEqual(
    groups.map(({ replayable, refused }) => [replayable, refused]),
    [[1, {}]],
  )
  const [first] = (await replay()).kinds
  assert.deepEqual([first?.replayed, first?.refused], [1, []])
  assert.equal((await sync.waiting()).length, 1)
  await sync.tick()
  assert.deepEqual(await dead(), ['replayed', 'dead'])
  await replay()
  await sync.tick()
  assert.deepEqual(await dead(), ['replayed', 'replayed'])
  assert.deepEqual([await sync.waiting(), answers], [[], []])
})

test('W-42: a write that memory-service keeps failing is tried as often as is allowed, then a dead letter', async (t) => {
  const failing = await startLoopbackServer(t, answering(500))
  const sync = await startSync(t, failing.url, { ...soon, attempts: 3 })
  await sync.store('k')
  await sync.tick()
  assert.equal(writesTo(failing).length, 3)
  assert.deepEqual(await sync.waiting(), [])
  const { rows } = await sync.database.query('SELECT cause, attempts FROM sluice.dead_letter')
  assert.deepEqual(rows, [{ cause: 'dependency_failed', attempts: 3 }])
})

test('a failed try waits for its back-off, or as long as memory-service asks', async (t) => {
  const busy = await startLoopbackServer(t, answering(503, { 'retry-after': '600' }))
  const sync = await startSync(t, busy.url, { ...soon, attempts: 3 })
  await sync.store('k')
  await sync.tick()
  assert.equal(writesTo(busy).length, 1)
  assert.deepEqual(await sync.waiting(), [{ memory_key: 'k', attempts: 1, cause: 'dependency_failed' }])
  const { rows } = await sync.database.query<{ seconds: number }>(
    'SELECT extract(epoch FROM due_at - clock_timestamp())::double precision AS seconds FROM agent.memory_write_outbox',
  )
  assert.ok((rows[0]?.seconds ?? 0) > 590)
})

test('an outage counts for nothing: the write waits, and is sent when memory-service is back', async (t) => {
  const memory = await startMemoryService(t)
  let away = true
  const between = await startLoopbackServer(t, passingOn(memory.url, { isAway: () => away }))
  const sync = await startSync(t, between.url, { ...later, attempts: 1 })
  await sync.store('k')
  await sync.tick()
  assert.deepEqual(await sync.waiting(), [{ memory_key: 'k', attempts: 0, cause: 'dependency_failed' }])
  assert.equal(await metric(sync.service, 'sluice_memory_writes_waiting'), 1)
  away = false
  await sync.database.query(`UPDATE agent.memory_write_outbox SET due_at = now()`)
  await sync.tick()
  assert.deepEqual(await sync.waiting(), [])
  assert.equal((await memory.ask('GET', '/v1/memory/k')).body['position'], '1@k')
})

test('a wrong token or URL loses nothing: it is answered, but not about the memory', async (t) => {
  for (const status of [401, 403, 404]) {
    const wrong = await startLoopbackServer(t, answering(status))
    const sync = await startSync(t, wrong.url, later)
    await sync.store('k')
    await sync.tick()
    assert.deepEqual(await sync.waiting(), [{ memory_key: 'k', attempts: 1, cause: 'dependency_failed' }])
  }
})

test('W-5: a write whose sender died is taken when the lease has run out', async (t) => {
  const memory = await startMemoryService(t)
  const sync = await startSync(t, memory.url)
  await sync.store('k')
  const [claimed] = await claimMemoryWrites(sync.database, { limit: 1, leaseMs: 60_000 })
  assert.ok(claimed !== undefined) // … and never heard of again
  await sync.tick()
  assert.equal((await sync.waiting()).length, 1)
  await sync.database.query(`UPDATE agent.memory_write_outbox SET lease_until = now() - interval '1 second'`)
  await sync.tick()
  assert.deepEqual(await sync.waiting(), [])
})

test('two processes at once send each write once', { timeout: 60_000 }, async (t) => {
  const counting = await startLoopbackServer(t, answering(201))
  const one = await startSync(t, counting.url)
  const two = await one.another()
  for (let at = 0; at < 100; at += 1) await one.store(`k${at}`)
  await Promise.all([one.tick(), two.tick(), one.tick(), two.tick()])
  assert.deepEqual(await one.waiting(), [])
  const keys = writesTo(counting).map(({ headers }) => headers['idempotency-key'])
  assert.deepEqual([new Set(keys).size, keys.length], [100, 100])
})

test('two writes of one memory arrive in their order, also when the first fails for a while', async (t) => {
  const bodies: string[] = []
  let failures = 2
  const failing = await startLoopbackServer(t, (request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      const status = failures-- > 0 ? 500 : 201
      if (status === 201) bodies.push((JSON.parse(body) as { content: string }).content)
      response.writeHead(status, { 'content-type': 'application/json' }).end('{}')
    })
  })
  const sync = await startSync(t, failing.url, soon)
  await sync.store('k', { id: 'first', content: 'first' })
  await sync.store('k', { id: 'second', content: 'second' })
  await sync.tick()
  assert.deepEqual(bodies, ['first', 'second'])
})

test('without a memory-service the tick does nothing and says so', async (t) => {
  const sync = await startSync(t, '')
  await sync.store('k')
  assert.equal(await sync.tick(), 200)
  assert.equal((await sync.waiting()).length, 1)
})
