// The admin routes of dead letters over HTTP, with a real function at the other end of the dry run.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { request } from 'node:http'
import { test, type TestContext } from 'node:test'
import { createGateway } from '../../../../functions/gateway/compose.ts'
import { gateway } from '../../../../functions/gateway/function.ts'
import { createOutboxSync } from '../../../../functions/outbox-sync/compose.ts'
import { outboxSync } from '../../../../functions/outbox-sync/function.ts'
import { createToolExecutor } from '../../../../functions/tool-executor/compose.ts'
import { toolExecutor } from '../../../../functions/tool-executor/function.ts'
import { loadConfig } from '../../../../shared/config/index.ts'
import type { Database } from '../../../../shared/database/index.ts'
import { createEventLog } from '../../../../shared/event-log/index.ts'
import { allTopics, toolCallRequested } from '../../../../shared/events/index.ts'
import { systemClock as clock } from '../../../../shared/time/index.ts'
import { createTestDatabase } from '../../../support/index.ts'
import { buryParked } from '../../support/buried.ts'
import { call, post } from '../../support/client.ts'
import { sendEvent } from '../../support/events.ts'
import { openDatabase, startForTest, testLogger } from '../../support/platform.ts'

interface Started {
  readonly url: string
  readonly database: Database
  /** Dead letters of these calls, of this tenant. */
  bury(calls: readonly string[], tenant?: string): Promise<readonly string[]>
}

const path = '/v1/admin/dead-letters'

async function start(t: TestContext, { drives = false } = {}): Promise<Started> {
  const { url: databaseUrl } = await createTestDatabase(t)
  const log = testLogger()
  const database = await openDatabase(t, databaseUrl, log)
  await createEventLog({ kafkaBrokers: [] }, { database, clock, log, name: 'test' }).ensureTopics(allTopics)
  const env = { DATABASE_URL: databaseUrl, PORT: '0', SLUICE_OPERATIONS_PORT: '0' }
  const config = loadConfig(env)
  const executor = await startForTest(t, {
    definition: toolExecutor,
    behaviour: { compose: (resources) => createToolExecutor(resources) },
    config,
    log,
  })
  const located = loadConfig({ ...env, SLUICE_FUNCTION_URLS: `tool-executor=http://127.0.0.1:${executor.port}` })
  const { port } = await startForTest(t, {
    definition: gateway,
    behaviour: { compose: (resources) => createGateway(resources) },
    config: located,
    log,
  })
  if (drives)
    await startForTest(t, { definition: outboxSync, behaviour: { compose: createOutboxSync }, config: located, log })
  return {
    url: `http://127.0.0.1:${port}${path}`,
    database,
    bury: async (calls, tenant = 'local') => {
      // The lanes would be driven at once, so the events are accepted and buried in one go.
      await database.query(`UPDATE sluice.lane SET held = 'test'`)
      for (const callId of calls) {
        const data = {
          session_id: callId,
          turn_id: 't',
          call_id: callId,
          tool: 'calculate',
          arguments: { expression: '1+1' },
        }
        const status: number = await sendEvent(executor.port, { type: toolCallRequested, data }, { id: callId, tenant })
        assert.equal(status, 202)
      }
      return buryParked(database, 'tool-executor')
    },
  }
}

test('dead letters are listed, planned, shown, run dry, replayed and discarded over HTTP', async (t) => {
  const { url, database, bury } = await start(t)
  const [id = '', other = ''] = await bury(['c1', 'c2'])

  const list = await call(`${url}?function=tool-executor&type=tool.call.requested.v1&limit=1`)
  assert.equal((list.body['dead_letters'] as unknown[]).length, 1)
  const rest = await call(`${url}?limit=1&cursor=${String(list.body['next_cursor'])}`)
  assert.equal(rest.body['next_cursor'], null)

  const plan = await call(`${url}/plan`)
  const [group] = plan.body['groups'] as readonly Record<string, unknown>[]
  assert.deepEqual([group?.['count'], group?.['replayable'], group?.['cause']], [2, 2, 'handler_failed'])

  const shown = await call(`${url}/${id}`)
  const raw = JSON.parse(Buffer.from(String(shown.body['raw_base64']), 'base64').toString()) as { readonly id: string }
  assert.equal(raw.id, (shown.body['event'] as { readonly id: string }).id)

  const dry = await post(`${url}/${id}/dry-run`, {})
  const report = dry.body['report'] as Record<string, unknown>
  assert.equal(dry.status, 200)
  assert.equal(report['outcome'], 'done')
  assert.deepEqual(report['steps'], [
    { name: 'run', effect: 'read', taken: 'ran' },
    { name: 'commit', effect: 'transaction', taken: 'ran' },
  ])
  const [emission] = report['emissions'] as readonly { readonly topic: string }[]
  assert.equal(emission?.topic, 'tool.results')
  const inbox = await database.query(`SELECT DISTINCT state FROM sluice.inbox`)
  assert.deepEqual(inbox.rows, [{ state: 'dead' }])

  const discarded = await post(`${url}/${other}/discard`, { reason: 'a test' })
  assert.equal(discarded.body['discarded'], 1)
  const ledger = await database.query(`SELECT action, by, reason FROM sluice.replay`)
  assert.deepEqual(ledger.rows, [{ action: 'discarded', by: 'gateway:local', reason: 'a test' }])
})

test('99: a replay twice, of an id already applied, or by another tenant, has no second effect', async (t) => {
  const { url, database, bury } = await start(t, { drives: true })
  const [id = ''] = await bury(['c1'])
  const [foreign = ''] = await bury(['c2'], 'acme')

  const first = await post(`${url}/${id}/replay`, { reason: 'fixed' })
  assert.equal(first.status, 200, JSON.stringify(first.body))
  assert.deepEqual(first.body['outcome'], { done: 1, waiting: 0, dead: 0 })
  const again = await post(`${url}/${id}/replay`, { reason: 'fixed' })
  assert.deepEqual([again.status, again.body['reason']], [409, 'already_replayed'])

  for (const [way, body] of [
    ['', undefined],
    ['/dry-run', {}],
    ['/replay', { reason: 'x' }],
    ['/discard', { reason: 'x' }],
  ] as const) {
    const answer =
      body === undefined ? await call(`${url}/${foreign}${way}`) : await post(`${url}/${foreign}${way}`, body)
    assert.deepEqual([answer.status, answer.body['code']], [404, 'not_found'], way)
  }
  const some = await post(`${url}/replay`, { ids: [foreign], reason: 'x' })
  const [kind] = some.body['kinds'] as readonly { readonly refused: readonly { readonly reason: string }[] }[]
  assert.deepEqual(
    kind?.refused.map(({ reason }) => reason),
    ['not_found'],
  )

  const emitted = await database.query(`SELECT FROM sluice.outbox WHERE topic = 'tool.results'`)
  assert.equal(emitted.rowCount, 1)
})

test('100: admin requests that a header, another site or another name vouches for get 403 and change nothing', async (t) => {
  const { url, database, bury } = await start(t)
  const [id = ''] = await bury(['c1'])
  const cases: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    'internal header': { 'x-internal-token': 'secret' },
    'tenant header': { 'x-tenant-id': 'acme' },
    'cross-site': { 'sec-fetch-site': 'cross-site' },
    'same-site, another port': { 'sec-fetch-site': 'same-site' },
    'another origin': { origin: 'http://evil.example' },
    'no origin': { origin: 'null' },
    'another name of this machine': { host: 'evil.example' },
  }
  for (const [title, headers] of Object.entries(cases)) {
    assert.equal(await statusOf(`${url}/${id}/discard`, headers), 403, title)
    assert.equal(await statusOf(url, headers, 'GET'), 403, title)
  }
  assert.equal((await database.query('SELECT FROM sluice.replay')).rowCount, 0)
  assert.equal(await statusOf(`${url}/${id}/discard`, { 'content-type': 'text/plain' }), 415)
})

test('malformed admin requests are refused with a code', async (t) => {
  const { url } = await start(t)
  const refused = async (answer: ReturnType<typeof call>): Promise<readonly unknown[]> => {
    const { status, body } = await answer
    return [status, body['code']]
  }
  assert.deepEqual(await refused(call(`${url}/1`)), [422, 'invalid_request'])
  assert.deepEqual(await refused(call(`${url}/${randomUUID()}`)), [404, 'not_found'])
  assert.deepEqual(await refused(call(`${url}?limit=0`)), [422, 'invalid_request'])
  assert.deepEqual(await refused(call(`${url}?limit=201`)), [422, 'invalid_request'])
  assert.deepEqual(await refused(call(`${url}?since=yesterday`)), [422, 'invalid_request'])
  for (const query of ['?function=a%00', '?type=%00', '?function=', '/plan?type=a%00b'])
    assert.deepEqual(await refused(call(`${url}${query}`)), [422, 'invalid_request'], query)
  assert.deepEqual(await refused(call(`${url}?cursor=x`)), [400, 'invalid_parameter'])
  assert.deepEqual(await refused(call(`${url}?tenant=acme`)), [422, 'invalid_request'])
  assert.deepEqual(await refused(post(`${url}/replay`, {})), [422, 'invalid_request'])
  assert.deepEqual(await refused(post(`${url}/replay`, { reason: 'x', tenant: 'acme' })), [422, 'invalid_request'])
  assert.deepEqual(await refused(post(`${url}/discard`, { reason: '' })), [422, 'invalid_request'])
  assert.deepEqual(await refused(post(`${url}/discard`, { reason: 'x', ids: [] })), [422, 'invalid_request'])
})

/** fetch sets some headers by itself. */
function statusOf(url: string, headers: Readonly<Record<string, string>>, method = 'POST'): Promise<number> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { method, headers: { 'content-type': 'application/json', ...headers } }, (response) => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
    asked.on('error', reject)
    asked.end(method === 'POST' ? '{"reason":"x"}' : undefined)
  })
}
