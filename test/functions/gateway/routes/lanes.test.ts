// The admin routes of lanes over HTTP.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Database } from '../../../../shared/database/index.ts'
import { until } from '../../../support/index.ts'
import { call, post } from '../../support/client.ts'
import { startGateway } from '../../support/gateway-server.ts'

interface LaneOptions {
  readonly key: string
  readonly tenant?: string
  readonly events?: number
  readonly held?: string | null
}

/** A lane of tool-executor, its head tried twice. */
async function fill(
  database: Database,
  { key, tenant = 'local', events = 1, held = 'handler_failed' }: LaneOptions,
): Promise<void> {
  await database.query(
    `INSERT INTO sluice.lane (function, key, tenant, tail, due_at, held, fingerprint)
     VALUES ('tool-executor', $1, $2, $3, clock_timestamp() + interval '1 h', $4, '0123456789abcdef')`,
    [key, tenant, events, held],
  )
  await database.query(
    `WITH event AS (
       SELECT n, json_build_object('specversion', '1.0', 'id', $1 || '/' || n, 'source', '/s', 'type', 'tool.call.requested.v1') AS event
       FROM generate_series(1, $3::int) AS n
     ), taken AS (
       INSERT INTO sluice.inbox (function, source, id, state, data_hash) SELECT 'tool-executor', '/s', $1 || '/' || n, 'parked', '' FROM event
     )
     INSERT INTO sluice.parked (function, key, position, source, id, tenant, event, raw, topic, due_at, attempts, cause, detail)
     SELECT 'tool-executor', $1, n, '/s', $1 || '/' || n, $2, event, '{}', 'tool.requests', clock_timestamp(),
       CASE n WHEN 1 THEN 2 ELSE 0 END, CASE n WHEN 1 THEN 'handler_failed' END, CASE n WHEN 1 THEN 'it broke' END FROM event`,
    [key, tenant, events],
  )
}

const path = '/v1/admin/lanes'
const laneUrl = (url: string, key: string, rest = ''): string =>
  `${url}${path}/tool-executor/${encodeURIComponent(key)}${rest}`

test('lanes are listed and read by the tenant of their heads', async (t) => {
  const { url, database } = await startGateway(t)
  await fill(database, { key: 'held', events: 3 })
  await fill(database, { key: 'partition:tool.requests/0', held: null })
  await fill(database, { key: 'theirs', tenant: 'acme' })

  const first = (await call(`${url}${path}?limit=1`)).body as { lanes: readonly { key: string }[]; next_cursor: string }
  const second = (await call(`${url}${path}?limit=1&cursor=${encodeURIComponent(first.next_cursor)}`)).body
  assert.deepEqual(
    [...first.lanes, ...(second['lanes'] as typeof first.lanes)].map(({ key }) => key),
    ['held', 'partition:tool.requests/0'],
  )
  assert.equal(second['next_cursor'], null)
  assert.equal(((await call(`${url}${path}?state=held`)).body['lanes'] as readonly unknown[]).length, 1)

  const { body } = await call(laneUrl(url, 'held', '?limit=2'))
  assert.deepEqual([body['state'], body['held'], body['events']], ['held', 'handler_failed', 3])
  const parked = body['parked'] as readonly Record<string, unknown>[]
  assert.deepEqual(
    parked.map(({ id, attempts, cause }) => [id, attempts, cause]),
    [
      ['held/1', 2, 'handler_failed'],
      ['held/2', 0, null],
    ],
  )
  assert.equal((await call(laneUrl(url, 'partition:tool.requests/0'))).body['state'], 'waiting')
  assert.equal((await call(laneUrl(url, 'theirs'))).status, 404)
})

test('a lane is released, with a body or without, and its head starts again from attempt 0', async (t) => {
  const { url, database } = await startGateway(t)
  for (const key of ['a', 'b', 'k'.repeat(512)]) await fill(database, { key })
  const answers = [
    await call(laneUrl(url, 'a', '/release'), { method: 'POST' }),
    await post(laneUrl(url, 'b', '/release'), { position: 1 }),
    await post(laneUrl(url, 'k'.repeat(512), '/release'), {}),
  ]
  assert.deepEqual(
    answers.map(({ status }) => status),
    [200, 200, 200],
  )
  assert.deepEqual(answers[0]?.body, { function: 'tool-executor', key: 'a', released: true })
  const { rows } = await database.query(
    'SELECT DISTINCT held, attempts, l.due_at <= clock_timestamp() AS due FROM sluice.lane l JOIN sluice.parked USING (function, key)',
  )
  assert.deepEqual(rows, [{ held: null, attempts: 0, due: true }])
})

test('a skipped head is a dead letter with its copy, the lane goes on, and a second click skips nothing more', async (t) => {
  const { url, database } = await startGateway(t)
  await fill(database, { key: 'k', events: 2 })
  const clicks = await Promise.all([1, 2].map(() => post(laneUrl(url, 'k', '/skip'), { position: 1 })))
  assert.deepEqual(
    clicks.map(({ status }) => status).toSorted((a, b) => a - b),
    [200, 409],
  )
  const skipped = clicks.find(({ status }) => status === 200)?.body['skipped']
  assert.deepEqual(skipped, { position: 1, source: '/s', id: 'k/1' })
  const { rows } = await database.query(
    'SELECT id, cause, message, attempts, fingerprint, tenant FROM sluice.dead_letter',
  )
  assert.deepEqual(rows, [
    {
      id: 'k/1',
      cause: 'handler_failed',
      message: 'it broke',
      attempts: 2,
      fingerprint: '0123456789abcdef',
      tenant: 'local',
    },
  ])
  assert.equal((await call(laneUrl(url, 'k'))).body['state'], 'waiting')
  await until('its copy is in the outbox', async () => {
    const copies = await database.query(`SELECT FROM sluice.outbox WHERE topic = 'tool.requests.dlq'`)
    return copies.rowCount === 1
  })
})

test('what an operator may not do is refused, and changes nothing', async (t) => {
  const { url, database } = await startGateway(t)
  await fill(database, { key: 'k' })
  await fill(database, { key: 'theirs', tenant: 'acme' })
  await fill(database, { key: 'flows', held: null })
  await fill(database, { key: 'runs', held: null })
  await database.query(
    `UPDATE sluice.lane SET token = gen_random_uuid(), lease_until = clock_timestamp() + interval '1 h' WHERE key = 'runs'`,
  )
  const act = (target: string, body: unknown = {}, headers: Readonly<Record<string, string>> = {}) => {
    const [key = '', action = ''] = target.split(' ')
    return post(laneUrl(url, key, `/${action}`), body, headers)
  }
  const form = { 'content-type': 'application/x-www-form-urlencoded' }
  const cases: readonly (readonly [string, () => ReturnType<typeof call>, number, string?])[] = [
    ['skip by another tenant', () => act('theirs skip'), 404, 'not_found'],
    ['release by another tenant', () => act('theirs release'), 404, 'not_found'],
    ['no such lane', () => act('unknown release'), 404, 'not_found'],
    ['no such function', () => call(`${url}${path}/nobody/k/release`, { method: 'POST' }), 404, 'not_found'],
    ['a lane that flows is not skipped', () => act('flows skip'), 409, 'conflict'],
    ['a lane that runs is not released', () => act('runs release'), 409, 'conflict'],
    ['another head than the one seen', () => act('k skip', { position: 2 }), 409, 'conflict'],
    ['a header that claims rights', () => act('k skip', {}, { 'x-internal-token': 'x' }), 403, 'forbidden'],
    ['a page of another site', () => act('k skip', {}, { 'sec-fetch-site': 'cross-site' }), 403, 'forbidden'],
    ['a page of another origin', () => act('k skip', {}, { origin: 'http://evil.example' }), 403, 'forbidden'],
    ['a form', () => act('k skip', 'position=1', form), 415],
    ['an unknown property', () => act('k skip', { postion: 1 }), 422, 'invalid_request'],
    ['a position that is none', () => act('k skip', { position: '1' }), 422, 'invalid_request'],
    ['a position below the first', () => act('k skip', { position: 0 }), 422, 'invalid_request'],
    ['a body that is no object', () => act('k release', '[]'), 422, 'invalid_request'],
    ['a body that is no JSON', () => act('k release', '{'), 400, 'invalid_json'],
    ['NUL in the key', () => call(laneUrl(url, '\0')), 422],
    ['NUL in the function', () => call(`${url}${path}/a%00/key`), 422],
    ['NUL in the function of a filter', () => call(`${url}${path}?function=a%00`), 422],
    ['a broken percent sign', () => call(`${url}${path}/tool-executor/%E0%A4%A`), 400],
    ['limit over the limit', () => call(`${url}${path}?limit=201`), 422],
    ['limit twice', () => call(`${url}${path}?limit=1&limit=2`), 400],
    ['a state that is none', () => call(`${url}${path}?state=dead`), 422],
    ['a cursor of somebody else', () => call(`${url}${path}?cursor=eA`), 400, 'invalid_parameter'],
    ['GET is no release', () => call(laneUrl(url, 'k', '/release')), 405],
  ]
  for (const [what, ask, status, code] of cases) {
    await t.test(what, async () => {
      const answer = await ask()
      assert.equal(answer.status, status, JSON.stringify(answer.body))
      if (code !== undefined) assert.equal(answer.body['code'], code)
      assert.equal(answer.headers.get('content-type'), 'application/problem+json')
    })
  }
  const { rows } = await database.query(`SELECT key FROM sluice.lane WHERE held IS NOT NULL ORDER BY key`)
  assert.deepEqual(rows, [{ key: 'k' }, { key: 'theirs' }])
  assert.deepEqual((await database.query('SELECT FROM sluice.dead_letter')).rowCount, 0)
})
