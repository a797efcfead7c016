import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { createOutboxSync } from '../../../functions/outbox-sync/compose.ts'
import { outboxSync } from '../../../functions/outbox-sync/function.ts'
import { createToolExecutor } from '../../../functions/tool-executor/compose.ts'
import { toolExecutor } from '../../../functions/tool-executor/function.ts'
import { defineTool, type Tool } from '../../../functions/tool-executor/tool.ts'
import { tools as allTools } from '../../../functions/tool-executor/tools/index.ts'
import { loadConfig, type Config } from '../../../shared/config/index.ts'
import type { Database } from '../../../shared/database/index.ts'
import { createEventLog } from '../../../shared/event-log/index.ts'
import { allTopics, toolCallRequested, type ToolCallRequested } from '../../../shared/events/index.ts'
import type { Service } from '../../../shared/function/start-service.ts'
import { systemClock as clock } from '../../../shared/time/index.ts'
import { createTestDatabase, until } from '../../support/index.ts'
import { deadLetters, emitted, sendEvent, type SendOptions } from '../support/events.ts'
import { openDatabase, startForTest, testLogger } from '../support/platform.ts'

interface Executor {
  readonly database: Database
  /** Starts an executor, and an outbox-sync that drives its lanes. */
  readonly start: (tools?: readonly Tool[]) => Promise<Service>
}

async function executor(t: TestContext): Promise<Executor> {
  const { url } = await createTestDatabase(t)
  const database = await openDatabase(t, url)
  const log = testLogger()
  await createEventLog({ kafkaBrokers: [] }, { database, clock, log, name: 'test' }).ensureTopics(allTopics)
  const configWith = (more: Readonly<Record<string, string>>): Config =>
    loadConfig({ DATABASE_URL: url, PORT: '0', SLUICE_OPERATIONS_PORT: '0', SLUICE_DATABASE_POOL_SIZE: '6', ...more })
  return {
    database,
    start: async (tools = allTools) => {
      const behaviour = {
        compose: (resources: Parameters<typeof createToolExecutor>[0]) => createToolExecutor(resources, tools),
      }
      const service = await startForTest(t, { definition: toolExecutor, behaviour, config: configWith({}), log })
      const config = configWith({ SLUICE_FUNCTION_URLS: `tool-executor=http://127.0.0.1:${service.port}` })
      await startForTest(t, { definition: outboxSync, behaviour: { compose: createOutboxSync }, config, log })
      return service
    },
  }
}

const request = (sessionId: string, more: Partial<ToolCallRequested> = {}): ToolCallRequested => ({
  session_id: sessionId,
  turn_id: 't1',
  call_id: 'c1-1',
  tool: 'calculate',
  arguments: { expression: '17*23' },
  ...more,
})

const probe = (name: string, tool: Pick<Tool, 'effect' | 'run'> & Partial<Tool>): Tool =>
  defineTool<never>({
    name,
    description: 'A tool of this test, and nothing more.',
    parameters: { type: 'object', additionalProperties: false, required: [], properties: {} },
    limits: { timeoutMs: 10_000, concurrent: 8 },
    ...tool,
  })

test('each request ends in one result', { timeout: 60_000 }, async (t) => {
  const { database, start } = await executor(t)
  let runs = 0
  const counting = probe('counting', { effect: 'read', run: async () => (runs += 1) })
  const { port } = await start([...allTools, counting])

  const ends = async (data: ToolCallRequested, options?: SendOptions): Promise<Readonly<Record<string, unknown>>> => {
    assert.equal(await sendEvent(port, { type: toolCallRequested, data }, options), 202)
    return until('the result is there', async () => (await emitted(database, 'tool.results', data.session_id))[0])
  }

  await t.test('a call that succeeds carries its result', async () => {
    assert.deepEqual(await ends(request('ok')), {
      session_id: 'ok',
      turn_id: 't1',
      call_id: 'c1-1',
      tool: 'calculate',
      status: 'succeeded',
      result: 391,
    })
  })

  const refusals: readonly (readonly [string, Partial<ToolCallRequested>, string, string])[] = [
    ['79: an unknown tool', { tool: 'rm_rf' }, 'failed', 'unknown_tool'],
    ['79: a name of the prototype', { tool: 'constructor' }, 'failed', 'unknown_tool'],
    ['80: a missing argument', { arguments: {} }, 'failed', 'invalid_arguments'],
    ['80: an extra argument', { arguments: { expression: '1', extra: 1 } }, 'failed', 'invalid_arguments'],
    ['80: an argument of another type', { arguments: { expression: 1 } }, 'failed', 'invalid_arguments'],
    ['80: a huge argument', { arguments: { expression: '1'.repeat(2_000) } }, 'failed', 'invalid_arguments'],
    ['an expression that cannot be calculated', { arguments: { expression: '1/0' } }, 'failed', 'calculation_failed'],
    [
      '81: a private address',
      { tool: 'http_fetch', arguments: { url: 'http://169.254.169.254/' } },
      'blocked',
      'blocked_address',
    ],
    ['84: another scheme', { tool: 'http_fetch', arguments: { url: 'file:///etc/passwd' } }, 'blocked', 'blocked_url'],
    ['a turn that is over', { deadline_at: '2020-01-01T00:00:00Z' }, 'timed_out', 'deadline_exceeded'],
  ]
  for (const [index, [what, more, status, code]] of refusals.entries()) {
    await t.test(`${what} ends as ${status}`, async () => {
      const result = await ends(request(`refused-${index}`, more))
      assert.deepEqual([result['status'], (result['error'] as { code: string }).code], [status, code])
    })
  }

  await t.test('79: a tool that the tenant’s catalogue switches off is blocked, for that tenant', async () => {
    await database.query(
      `INSERT INTO agent.tool_catalog (tenant, tool, enabled, description, parameters) VALUES ('acme', 'calculate', false, 'off', '{}')`,
    )
    const off = await ends(request('of-acme'), { tenant: 'acme' })
    assert.deepEqual(
      [off['status'], off['error']],
      ['blocked', { code: 'tool_disabled', message: 'The tool is switched off' }],
    )
    assert.equal((await ends(request('of-local')))['status'], 'succeeded')
  })

  await t.test('W-16: five deliveries of one request at once run the tool once and report once', async () => {
    const data = request('five', { tool: 'counting', arguments: {} })
    const statuses = await Promise.all(
      Array.from({ length: 5 }, () => sendEvent(port, { type: toolCallRequested, data }, { id: 'same' })),
    )
    assert.ok(
      statuses.every((status) => status < 300 || status === 503),
      statuses.join(),
    )
    await until('the result is there', async () => (await emitted(database, 'tool.results', 'five')).length === 1)
    await until('nothing waits', async () => (await database.query('SELECT FROM sluice.parked')).rowCount === 0)
    assert.deepEqual([runs, (await emitted(database, 'tool.results', 'five')).length], [1, 1])
  })

  await t.test('nothing became a dead letter', async () => {
    assert.deepEqual(await deadLetters(database, 'tool-executor'), [])
  })
})

test('a full bulkhead is waited for in the lane', { timeout: 60_000 }, async (t) => {
  const { database, start } = await executor(t)
  const narrow = probe('narrow', {
    effect: 'read',
    limits: { timeoutMs: 5_000, concurrent: 1 },
    run: async (_args, { clock: time }) => time.sleep(100),
  })
  const { port } = await start([narrow])
  const sessions = ['a', 'b', 'c']
  for (const session of sessions)
    await sendEvent(port, { type: toolCallRequested, data: request(session, { tool: 'narrow', arguments: {} }) })
  for (const session of sessions) {
    const result = await until('the result is there', async () => (await emitted(database, 'tool.results', session))[0])
    assert.equal(result['status'], 'succeeded')
  }
})

for (const [effect, status] of [
  ['once', 'unknown'],
  ['read', 'succeeded'],
  ['idempotent', 'succeeded'],
] as const) {
  test(`a ${effect} tool that was cut off in the middle ends as ${status}`, { timeout: 60_000 }, async (t) => {
    const { database, start } = await executor(t)
    const keys: string[] = []
    const interrupted = Promise.withResolvers<void>()
    const first = await start([
      probe('fragile', {
        effect,
        run: async (_args, { idempotencyKey, signal, clock: time }) => {
          keys.push(idempotencyKey)
          interrupted.resolve()
          await time.sleep(60_000, signal)
        },
      }),
    ])
    await sendEvent(first.port, { type: toolCallRequested, data: request('s1', { tool: 'fragile', arguments: {} }) })
    await interrupted.promise
    const { released } = await first.drain({ totalMs: 500 })
    assert.equal(released.length, 1)

    await start([
      probe('fragile', {
        effect,
        run: async (_args, { idempotencyKey }) => {
          keys.push(idempotencyKey)
          return 'done'
        },
      }),
    ])
    const result = await until('the result is there', async () => (await emitted(database, 'tool.results', 's1'))[0], {
      limitMs: 30_000,
    })
    assert.equal(result['status'], status)
    assert.equal(keys.length, effect === 'once' ? 1 : 2)
    assert.equal(new Set(keys).size, 1, 'W-17: the key does not depend on the attempt')
  })
}
