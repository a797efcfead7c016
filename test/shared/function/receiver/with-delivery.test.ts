// The receiver of a function with state, on a real database: what is kept, what is refused, and what it answers when the
// database is away.

import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { createHandler, ledgerSql, transactionLedger } from '../../../fixtures/functions/transaction-ledger.ts'
import { createTestDatabase, startPostgresServer, until } from '../../../support/index.ts'
import { openDatabase } from '../open-database.ts'
import { exchange, openConnection, post } from '../raw-http.ts'
import { startServiceOfTest } from '../start-service.ts'
import { message, messageHeaders } from './start-event-server.ts'

const limit = { timeout: 60_000 }
const fromKafka = {
  'kn-namespace': 'shop',
  'ce-knativekafkapartition': '2',
  'ce-knativekafkaoffset': '41',
  'ce-sluicetopic': 'conversation.inbound',
}

async function start(t: TestContext) {
  const { url } = await createTestDatabase(t)
  const database = await openDatabase(t, url)
  await database.query(ledgerSql)
  const service = await startServiceOfTest(t, transactionLedger, {
    behaviour: createHandler(),
    env: { DATABASE_URL: url },
  })
  const send = (headers: Record<string, string>, body: string | Buffer) => exchange(service.port, post(headers, body))
  const ledger = async () =>
    (await database.query<{ id: string }>('SELECT id FROM ledger ORDER BY id')).rows.map(({ id }) => id)
  const deadLetters = async () =>
    (
      await database.query<DeadLetter>(
        'SELECT cause, raw, topic, partition, log_offset, id FROM sluice.dead_letter ORDER BY at',
      )
    ).rows
  return { service, database, send, ledger, deadLetters }
}

interface DeadLetter {
  readonly cause: string
  readonly raw: Buffer
  readonly topic: string | null
  readonly partition: number | null
  readonly log_offset: number | null
  readonly id: string | null
}

test(
  'an event has its effect and is answered 200; the same event again is 200 without a second effect',
  limit,
  async (t) => {
    const { send, ledger, service } = await start(t)
    const headers = messageHeaders(fromKafka)
    const answers = [await send(headers, message()), await send(headers, message())]
    assert.deepEqual(answers.map(({ status, body }) => [status, body]), [[200, ''], [200, '']]) // prettier-ignore
    assert.equal((await ledger()).length, 1)
    const lines = service.records().filter((record) => record['outcome'] !== undefined)
    assert.deepEqual(
      lines.map((record) => record['outcome']),
      ['done', 'duplicate'],
    ) // one line an event, by delivery
    assert.ok(lines.every((record) => /^[0-9a-f]{32}$/.test(String(record['trace_id']))))
  },
)

test('the same id with other data is a dead letter, and the first wins', limit, async (t) => {
  const { send, ledger, deadLetters } = await start(t)
  await send(messageHeaders(fromKafka), message('first'))
  assert.equal((await send(messageHeaders(fromKafka), message('second'))).status, 202)
  assert.equal((await ledger()).length, 1)
  assert.deepEqual(
    (await deadLetters()).map(({ cause }) => cause),
    ['id_conflict'],
  )
})

test('five deliveries of one event at once have one effect', limit, async (t) => {
  const { send, ledger } = await start(t)
  const answers = await Promise.all(Array.from({ length: 5 }, () => send(messageHeaders(fromKafka), message())))
  assert.ok(answers.every(({ status }) => status === 200 || status === 503))
  assert.ok(answers.some(({ status }) => status === 200))
  assert.equal((await ledger()).length, 1)
})

const kept: readonly (readonly [
  what: string,
  headers: Record<string, string>,
  body: string | Buffer,
  cause: string,
])[] = [
  ['41 an empty id', messageHeaders({ ...fromKafka, 'ce-id': '' }), message(), 'ce_invalid'],
  ['41 specversion 0.3', messageHeaders({ ...fromKafka, 'ce-specversion': '0.3' }), message(), 'ce_invalid'],
  ['45 data that is not JSON', messageHeaders(fromKafka), 'hello', 'data_invalid'],
  [
    '46 a time without zone',
    messageHeaders({ ...fromKafka, 'ce-time': '2026-01-01T00:00:00' }),
    message(),
    'ce_invalid',
  ],
  ['48 data that does not fit', messageHeaders(fromKafka), '{}', 'data_invalid'],
  ['48 no data', messageHeaders(fromKafka), '', 'data_invalid'],
  ['48 random bytes', messageHeaders(fromKafka), Buffer.from([0, 255, 128, 7]), 'invalid_encoding'],
  [
    '10 NUL in a string',
    messageHeaders(fromKafka),
    '{"session_id":"s","turn_id":"t","message":"a\\u0000"}',
    'invalid_character',
  ],
  ['7 a forbidden key', messageHeaders(fromKafka), '{"__proto__":{}}', 'forbidden_key'],
  ['49 an unknown type', messageHeaders({ ...fromKafka, 'ce-type': 'a.b.v1' }), message(), 'unknown_type'],
  ['54 no tenant', messageHeaders({ ...fromKafka, 'ce-tenant': '' }), message(), 'tenant_invalid'],
  ['54 a tenant in mixed case', messageHeaders({ ...fromKafka, 'ce-tenant': 'Local' }), message(), 'tenant_invalid'],
  [
    'no CloudEvent at all',
    { ...fromKafka, 'ce-specversion': '', 'content-type': 'application/json' },
    message(),
    'ce_invalid',
  ],
]

for (const [what, headers, body, cause] of kept) {
  test(`${what}, from a KafkaSource: 202 and a dead letter ${cause} with the raw bytes`, limit, async (t) => {
    const { send, ledger, deadLetters } = await start(t)
    const answer = await send(headers, body)
    assert.deepEqual([answer.status, answer.body], [202, ''])
    const [letter, ...more] = await deadLetters()
    assert.deepEqual(more, [])
    assert.deepEqual(
      [letter?.cause, letter?.topic, letter?.partition, letter?.log_offset],
      [cause, 'conversation.inbound', 2, 41],
    )
    assert.deepEqual(letter?.raw, Buffer.from(body))
    assert.deepEqual(await ledger(), [])
  })
}

test('a dead letter of what could not be read has the trace of its log line', limit, async (t) => {
  const { send, database, service } = await start(t)
  const traceId = 'ab'.repeat(16)
  const traced = { ...messageHeaders(fromKafka), traceparent: `00-${traceId}-${'cd'.repeat(8)}-01` }
  await send({ ...traced, 'ce-id': '' }, message())
  const [row] = (await database.query<{ trace: string }>('SELECT trace FROM sluice.dead_letter')).rows
  assert.equal(row?.trace.split('-')[1], traceId)
  const line = service.records().find((record) => record['outcome'] === 'dead')
  assert.equal(line?.['trace_id'], traceId)
})

test('the same from anyone else is told what is wrong, and nothing is kept', limit, async (t) => {
  const { send, deadLetters } = await start(t)
  for (const [what, headers, body] of kept) {
    const others = Object.fromEntries(Object.entries(headers).filter(([name]) => name !== 'kn-namespace'))
    const answer = await send(others, body)
    assert.ok([400, 403, 415, 422].includes(answer.status), `${what}: ${answer.status}`)
    assert.equal(answer.headers['content-type'], 'application/problem+json')
  }
  assert.deepEqual(await deadLetters(), [])
})

test(
  'a raw record is bound to a type only where its topic carries one consumed type, and needs a tenant',
  limit,
  async (t) => {
    const { send, ledger, deadLetters } = await start(t)
    const raw = {
      'kn-namespace': 'shop',
      'ce-specversion': '1.0',
      'ce-id': 'partition:0/offset:7',
      'ce-source': '/apis/v1/namespaces/shop/kafkasources/k#conversation.inbound',
      'ce-type': 'dev.knative.kafka.event',
      'ce-key': 's1',
      'ce-partitionkey': 's1',
      'ce-knativekafkapartition': '0',
      'ce-knativekafkaoffset': '7',
    }
    assert.equal((await send({ ...raw, 'ce-tenant': 'local' }, message())).status, 200)
    assert.equal((await ledger()).length, 1)
    assert.equal(
      (
        await send(
          { ...raw, 'ce-id': 'partition:0/offset:8', 'ce-knativekafkaoffset': '8', 'ce-tenant': 'local' },
          '{"no":"fit"}',
        )
      ).status,
      202,
    )
    assert.equal(
      (await send({ ...raw, 'ce-id': 'partition:0/offset:9', 'ce-knativekafkaoffset': '9' }, message())).status,
      202,
    )
    assert.deepEqual(
      (await deadLetters()).map(({ cause }) => cause),
      ['not_cloudevent', 'tenant_invalid'],
    )
  },
)

test('a rejection by the handler is a dead letter and 202', limit, async (t) => {
  const { send, deadLetters } = await start(t)
  assert.equal((await send(messageHeaders(fromKafka), message('reject'))).status, 202)
  assert.deepEqual(
    (await deadLetters()).map(({ cause }) => cause),
    ['rejected'],
  )
})

test('an oversized event from a KafkaSource is 413, so that its own sink keeps it', limit, async (t) => {
  const { send, deadLetters } = await start(t)
  const answer = await send(messageHeaders(fromKafka), 'a'.repeat(1_048_577))
  assert.deepEqual([answer.status, answer.headers['kne-sluicecause']], [413, 'body_too_large'])
  assert.deepEqual(await deadLetters(), [])
})

test('a forged lane token runs nothing', limit, async (t) => {
  const { send, ledger } = await start(t)
  const token = '6f1f3c8e-5f0e-4c0e-9d5b-0d8a3f0b6c11.1'
  const answers = [
    await send(messageHeaders({ 'sluice-lane-token': token }), message()),
    await send(messageHeaders({ 'sluice-lane-token': 'garbage' }), message()),
    await send(messageHeaders({ 'sluice-lane-token': token }), '{}'),
  ]
  assert.ok(answers.every(({ status }) => status < 300 || status === 409))
  assert.deepEqual(await ledger(), [])
})

test(
  'a database that is away means 503 with Retry-After and not ready, while the process lives on',
  { timeout: 120_000 },
  async (t) => {
    const server = await startPostgresServer(t)
    const { migrate } = await import('../../../../shared/database/index.ts')
    const { createLogger } = await import('../../../../shared/telemetry/index.ts')
    const { url } = server
    const database = await openDatabase(t, url)
    await migrate(database, { directory: 'schemas/database', log: createLogger({ function: 't', level: 'silent' }) })
    await database.query(ledgerSql)
    const service = await startServiceOfTest(t, transactionLedger, {
      behaviour: createHandler(),
      env: { DATABASE_URL: url },
    })
    const ready = async () => (await exchange(service.port, 'GET /ready HTTP/1.1\r\nhost: x\r\n\r\n')).status
    assert.equal(await ready(), 200)

    await server.stop()
    const connection = await openConnection(service.port)
    connection.write(post(messageHeaders(fromKafka), message()))
    const answer = await connection.answer()
    assert.deepEqual([answer.status, Number(answer.headers['retry-after']) >= 1], [503, true])
    // What cannot be kept is not acknowledged either.
    connection.write(post(messageHeaders(fromKafka), '{}'))
    assert.equal((await connection.answer()).status, 503)
    await until('it is not ready', async () => (await ready()) === 503)
    assert.equal((await exchange(service.port, 'GET /live HTTP/1.1\r\nhost: x\r\n\r\n')).status, 200)
    connection.socket.destroy()
  },
)
