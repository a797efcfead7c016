import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Database } from '../../../../shared/database/index.ts'
import { atEnd, until } from '../../../support/index.ts'
import { post, say, type Answer } from '../../support/client.ts'
import { createSession, startGateway } from '../../support/gateway-server.ts'

const uuidV7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-/

const count = async (database: Database, table: string, sessionId: string): Promise<number> =>
  (await database.query(`SELECT FROM ${table} WHERE session_id = $1`, [sessionId])).rowCount

test('taking messages in', { timeout: 60_000 }, async (t) => {
  const { url, database, channel } = await startGateway(t)
  const messageUrl = `${url}/v1/session/message`

  await t.test('a message is answered 202 with ids, and session, turn and event are there', async () => {
    const { session_id, event_id, turn_id } = await say(url, 'hello', { metadata: { from: 'test' } })
    for (const id of [session_id, event_id, turn_id]) assert.match(id, uuidV7)
    const { rows } = await database.query<{ event: Record<string, unknown>; key: string }>(
      'SELECT event, key FROM sluice.outbox WHERE id = $1',
      [event_id],
    )
    assert.equal(rows[0]?.key, session_id)
    const { event } = rows[0]
    assert.deepEqual(event['data'], {
      session_id,
      turn_id,
      message: 'hello',
      strategy: 'enqueue',
      metadata: { from: 'test' },
    })
    assert.deepEqual([event['source'], event['tenant'], event['sessionid']], ['/sluice/gateway', 'local', session_id])
    assert.deepEqual(
      [await count(database, 'agent.session', session_id), await count(database, 'agent.turn', session_id)],
      [1, 1],
    )
  })

  await t.test('the event reaches the log in order of the session', async () => {
    const { session_id } = await say(url, 'one')
    await say(url, 'two', { session_id })
    await until('both are published', async () => {
      const { rows } = await database.query('SELECT FROM sluice.outbox WHERE key = $1 AND state = $2', [
        session_id,
        'sent',
      ])
      return rows.length === 2
    })
    const { rows } = await database.query<{ ordinal: number }>(
      'SELECT ordinal FROM agent.turn WHERE session_id = $1 ORDER BY turn_id',
      [session_id],
    )
    assert.deepEqual(rows, [{ ordinal: 1 }, { ordinal: 2 }])
  })

  await t.test('a session begins under the id that the client chose', async () => {
    assert.equal((await say(url, 'hi', { session_id: 'my-session.1' })).session_id, 'my-session.1')
  })

  await t.test(
    'W-22, W-23: a session of another tenant is not found, and a header that claims the tenant is ignored',
    async () => {
      await createSession(database, 'of-acme', 'acme')
      const headers = { 'x-tenant-id': 'acme', 'x-user-id': 'root', 'x-internal-token': 'x' }
      const answer = await post(messageUrl, { session_id: 'of-acme', message: 'let me in' }, headers)
      assert.deepEqual([answer.status, answer.body['code']], [404, 'not_found'])
      const { session_id } = (await post(messageUrl, { message: 'hi' }, headers)).body
      const { rows } = await database.query('SELECT tenant FROM agent.session WHERE session_id = $1', [session_id])
      assert.deepEqual(rows, [{ tenant: 'local' }])
    },
  )

  await t.test(
    'a persona that the tenant does not have is refused, one that it has names the session’s strategy',
    async () => {
      const unknown = await post(messageUrl, { message: 'hi', persona_id: 'nobody' })
      assert.deepEqual([unknown.status, unknown.body['code']], [422, 'invalid_request'])
      await database.query(
        `INSERT INTO agent.persona (tenant, persona_id, display_name, instructions, strategy) VALUES ('local', 'hasty', 'Hasty', 'Be quick.', 'reject')`,
      )
      const { session_id, turn_id } = await say(url, 'hi', { persona_id: 'hasty' })
      const second = await post(messageUrl, { session_id, message: 'hi again' })
      assert.deepEqual([second.status, second.body['turn_id']], [409, turn_id])
    },
  )

  await t.test('reject leaves nothing behind', async () => {
    const { session_id, turn_id } = await say(url, 'first')
    const refused = await post(messageUrl, { session_id, message: 'second', strategy: 'reject' })
    assert.deepEqual([refused.status, refused.body['code'], refused.body['turn_id']], [409, 'turn_running', turn_id])
    assert.equal(await count(database, 'agent.turn', session_id), 1)
  })

  await t.test('interrupt marks every open turn, raises interrupt_seq and tells the workers', async (t) => {
    const heard: string[] = []
    const subscription = await channel.subscribe('turn-stops', (text) => heard.push(text))
    t.after(() => subscription.stop())
    const { session_id } = await say(url, 'first')
    await say(url, 'second', { session_id })
    const third = await say(url, 'third', { session_id, strategy: 'interrupt' })
    const { rows } = await database.query<{ cause: string | null; seq: number | null }>(
      'SELECT interrupt_cause AS cause, interrupt_seq AS seq FROM agent.turn WHERE session_id = $1 ORDER BY ordinal',
      [session_id],
    )
    assert.deepEqual(rows, [
      { cause: 'interrupted', seq: 1 },
      { cause: 'interrupted', seq: 1 },
      { cause: null, seq: null },
    ])
    const session = await database.query('SELECT interrupt_seq FROM agent.session WHERE session_id = $1', [session_id])
    assert.deepEqual(session.rows, [{ interrupt_seq: 1 }])
    await until('the workers hear of it', () => heard.some((text) => text.includes(session_id)))
    // Whoever is stopped already does not stand in the way of one that rejects.
    const fourth = await post(`${url}/v1/session/message`, { session_id, message: 'x', strategy: 'reject' })
    assert.equal(fourth.body['turn_id'], third.turn_id)
  })

  await t.test('many first messages to one new session at once are all taken, in one session', async () => {
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, n) => post(messageUrl, { session_id: 'crowd', message: `m${n}` })),
    )
    assert.deepEqual(
      answers.map(({ status }) => status),
      Array.from({ length: 12 }, () => 202),
    )
    const { rows } = await database.query<{ ordinal: number }>(
      `SELECT ordinal FROM agent.turn WHERE session_id = 'crowd' ORDER BY ordinal`,
    )
    assert.deepEqual(
      rows.map(({ ordinal }) => ordinal),
      Array.from({ length: 12 }, (_, n) => n + 1),
    )
  })
})

test('Idempotency-Key', { timeout: 60_000 }, async (t) => {
  const { url, database } = await startGateway(t)
  const messageUrl = `${url}/v1/session/message`
  const events = async (): Promise<number> => (await database.query('SELECT FROM sluice.outbox')).rowCount

  await t.test(
    'the same key and request give the same answer and one effect, however its JSON was written',
    async () => {
      const first = await post(messageUrl, '{"session_id":"a","message":"hi"}', { 'idempotency-key': 'k1' })
      const again = await post(messageUrl, '{ "message" : "hi", "session_id" : "a" }', { 'idempotency-key': 'k1' })
      assert.equal(first.status, 202)
      assert.deepEqual([again.status, again.body], [first.status, first.body])
      assert.equal(await events(), 1)
    },
  )

  await t.test('the same key with another body, or on another route, is 422', async () => {
    const other = await post(messageUrl, { session_id: 'a', message: 'ho' }, { 'idempotency-key': 'k1' })
    assert.deepEqual([other.status, other.body['code']], [422, 'idempotency_mismatch'])
    const elsewhere = await post(
      `${url}/v1/session/action`,
      { session_id: 'a', action: 'pause' },
      { 'idempotency-key': 'k1' },
    )
    assert.equal(elsewhere.status, 422)
  })

  await t.test('while the first request runs, another with its key is 409 and told when to come again', async (t) => {
    const { session_id } = await say(url, 'first')
    const locked = Promise.withResolvers<void>()
    const release = Promise.withResolvers<void>()
    atEnd(t, () => release.resolve())
    const holding = database.transaction(async (tx) => {
      await tx.query('SELECT FROM agent.session WHERE session_id = $1 FOR UPDATE', [session_id])
      locked.resolve()
      await release.promise
    })
    await locked.promise
    const send = (): Promise<Answer> => post(messageUrl, { session_id, message: 'hi' }, { 'idempotency-key': 'k2' })
    const [one, two] = [send(), send()] // whichever is first waits for the session's row
    const second = await Promise.race([one, two])
    assert.deepEqual([second.status, second.body['code']], [409, 'idempotency_running'])
    assert.equal(second.headers.get('retry-after'), '1')
    release.resolve()
    await holding
    assert.deepEqual(
      (await Promise.all([one, two])).map(({ status }) => status).toSorted((a, b) => a - b),
      [202, 409],
    )
    assert.equal((await send()).status, 202)
  })

  await t.test('ten at once with one key have one effect', async () => {
    const before = await events()
    const answers = await Promise.all(
      Array.from({ length: 10 }, () =>
        post(messageUrl, { session_id: 'b', message: 'hi' }, { 'idempotency-key': 'k3' }),
      ),
    )
    const taken = answers.filter(({ status }) => status === 202)
    assert.ok(taken.length >= 1 && answers.every(({ status }) => status === 202 || status === 409))
    assert.equal(new Set(taken.map(({ body }) => body['event_id'])).size, 1)
    assert.equal(await events(), before + 1)
  })

  await t.test('a refused request leaves its key free', async () => {
    const refused = await post(messageUrl, { message: 'hi', persona_id: 'nobody' }, { 'idempotency-key': 'k4' })
    assert.equal(refused.status, 422)
    assert.equal((await post(messageUrl, { message: 'hi' }, { 'idempotency-key': 'k4' })).status, 202)
  })

  for (const [length, status] of [
    [254, 202],
    [255, 202],
    [256, 400],
    [10_000, 400],
  ] as const) {
    await t.test(`a key of ${length} characters is ${status}`, async () => {
      const answer = await post(messageUrl, { message: 'hi' }, { 'idempotency-key': 'k'.repeat(length) })
      assert.equal(answer.status, status)
    })
  }
})

test('actions', { timeout: 60_000 }, async (t) => {
  const { url, database } = await startGateway(t)
  const actionUrl = `${url}/v1/session/action`

  await t.test('cancel takes the running turn, else the next that waits', async () => {
    const first = await say(url, 'one')
    const { session_id } = first
    const second = await say(url, 'two', { session_id })
    await database.query(`UPDATE agent.turn SET state = 'thinking' WHERE turn_id = $1`, [second.turn_id])
    const cancel = async (): Promise<unknown> =>
      (await post(actionUrl, { session_id, action: 'cancel' })).body['turn_id']
    assert.equal(await cancel(), second.turn_id)
    assert.equal(await cancel(), first.turn_id)
    const none = await post(actionUrl, { session_id, action: 'cancel' })
    assert.deepEqual([none.status, none.body['code']], [409, 'conflict'])
  })

  await t.test('cancel of a turn that has ended or does not exist is told apart', async () => {
    const { session_id, turn_id } = await say(url, 'one')
    await database.query(`UPDATE agent.turn SET state = 'completed' WHERE turn_id = $1`, [turn_id])
    assert.equal((await post(actionUrl, { session_id, action: 'cancel', turn_id })).status, 409)
    assert.equal((await post(actionUrl, { session_id, action: 'cancel', turn_id: 'nope' })).status, 404)
  })

  await t.test('a session that does not exist, or is another tenant’s, is not found', async () => {
    await createSession(database, 'of-acme', 'acme')
    for (const session_id of ['nope', 'of-acme']) {
      for (const action of ['cancel', 'pause', 'summarize'])
        assert.equal((await post(actionUrl, { session_id, action })).status, 404)
    }
  })

  await t.test('an action that the agent answers gets a turn, pause does not', async () => {
    const { session_id } = await say(url, 'one')
    assert.match(String((await post(actionUrl, { session_id, action: 'nudge' })).body['turn_id']), uuidV7)
    assert.equal((await post(actionUrl, { session_id, action: 'pause' })).body['turn_id'], undefined)
  })

  await t.test('an unknown action and a turn where none belongs are 422', async () => {
    const { session_id } = await say(url, 'one')
    assert.equal((await post(actionUrl, { session_id, action: 'explode' })).status, 422)
    assert.equal((await post(actionUrl, { session_id, action: 'pause', turn_id: 't' })).status, 422)
  })
})
