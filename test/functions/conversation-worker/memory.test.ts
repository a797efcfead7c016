// What one conversation says, another one knows: the worker and the memory functions, each with a database of its own, over HTTP.

import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { createMemorySync } from '../../../functions/memory-sync/compose.ts'
import { memorySync } from '../../../functions/memory-sync/function.ts'
import { loadConfig } from '../../../shared/config/index.ts'
import { startLoopbackServer, until } from '../../support/index.ts'
import { dataOf, say, watch } from '../support/client.ts'
import { metric, passingOn, startMemory, startMemoryService } from '../support/memory.ts'
import { startForTest, startPlatform, testLogger, type Platform } from '../support/platform.ts'

/** Says it, in a new conversation unless it names one, and returns how the turn ended. */
async function converse(t: TestContext, { url }: Platform, message: string | object): Promise<Conversed> {
  const { message: text, ...more } = typeof message === 'string' ? { message } : (message as { message: string })
  const said = await say(url, text, more)
  const stream = await watch(t, `${url}/v1/session/${said.session_id}/events`)
  const end = await stream.turnEnded(said.turn_id)
  assert.equal(end.type, 'conversation.turn.completed.v1')
  await stream.close()
  return { answer: String(dataOf(end)['answer']), sessionId: said.session_id, turnId: said.turn_id }
}

interface Conversed {
  readonly answer: string
  readonly sessionId: string
  readonly turnId: string
}

const waiting = async ({ database }: Platform): Promise<number> =>
  (await database.query('SELECT FROM agent.memory_write_outbox')).rowCount

test('what was said in one conversation is recalled in another', { timeout: 90_000 }, async (t) => {
  const memory = await startMemory(t)
  const platform = await startPlatform(t, { env: { MEMORY_SERVICE_URL: memory.url } })

  const first = await converse(t, platform, 'My favourite colour is teal.')
  await until('it is remembered', async () => (await memory.recall({ session_id: first.sessionId })).length === 1)
  const [kept] = await memory.recall({ session_id: first.sessionId })
  assert.equal(kept?.key, `turn:${first.sessionId}:${first.turnId}`)
  assert.match(kept.content, /^My favourite colour is teal\.\n→ .*teal/)
  assert.equal(await waiting(platform), 0)

  const second = await converse(t, platform, 'What is my favourite colour?')
  assert.notEqual(second.sessionId, first.sessionId)
  assert.match(second.answer, /Your favourite colour is teal/)

  const third = await converse(t, platform, 'What is my favourite animal, by the way? And the colour of the sky?')
  assert.doesNotMatch(third.answer, /teal/)
})

test('a turn asks for memories of its own tenant and of other conversations only', { timeout: 60_000 }, async (t) => {
  const memory = await startMemory(t)
  const platform = await startPlatform(t, { env: { MEMORY_SERVICE_URL: memory.url } })
  const content = 'My favourite colour is crimson.\n→ Noted.'
  await memory.remember({ content, namespace: 'conversation', session_id: 'other' }, { tenant: 'someone-else' })
  await memory.remember({ content, namespace: 'conversation', session_id: 'this-one' })
  await memory.remember({ content, namespace: 'notes', session_id: 'other' })
  const replicated = async (): Promise<boolean> => (await memory.recall({ query: 'favourite colour' })).length === 2
  await until('they are replicated', replicated)
  const { answer } = await converse(t, platform, {
    message: 'What is my favourite colour?',
    session_id: 'this-one',
  })
  assert.match(answer, /not told me/)
})

test(
  'without memory-service a turn goes on, and what it said is sent once it is back',
  { timeout: 90_000 },
  async (t) => {
    const memory = await startMemoryService(t)
    let away = true
    const between = await startLoopbackServer(t, passingOn(memory.url, { isAway: () => away }))
    const platform = await startPlatform(t, { env: { MEMORY_SERVICE_URL: between.url } })

    const { sessionId, turnId } = await converse(t, platform, 'My name is Ada.')
    await until('the worker has tried', async () => {
      const { rows } = await platform.database.query<{ cause: string | null }>(
        'SELECT cause FROM agent.memory_write_outbox',
      )
      return rows[0]?.cause === 'dependency_failed'
    })
    assert.equal(await waiting(platform), 1)

    away = false
    const config = loadConfig({
      DATABASE_URL: platform.databaseUrl,
      PORT: '0',
      SLUICE_OPERATIONS_PORT: '0',
      MEMORY_SERVICE_URL: between.url,
    })
    const behaviour = { compose: createMemorySync }
    const sync = await startForTest(t, { definition: memorySync, behaviour, config, log: testLogger() })
    const tick = { 'ce-specversion': '1.0', 'ce-id': '1', 'ce-source': '/t', 'ce-type': 'dev.knative.sources.ping' }
    for (const _ of [1, 2]) await fetch(`http://127.0.0.1:${sync.port}/`, { method: 'POST', headers: tick })
    assert.equal(await waiting(platform), 0)
    const { rows } = await memory.database.query('SELECT key, sequence FROM agent.memory_record')
    assert.deepEqual(rows, [{ key: `turn:${sessionId}:${turnId}`, sequence: 1 }])
  },
)

test('a memory-service that names a time to come back is not asked before', { timeout: 60_000 }, async (t) => {
  const busy = await startLoopbackServer(t, (_request, response) => {
    response.writeHead(429, { 'retry-after': '20' }).end('{}')
  })
  const platform = await startPlatform(t, { env: { MEMORY_SERVICE_URL: busy.url } })
  await converse(t, platform, 'hello')
  const dueIn = await until('the worker has tried', async () => {
    const { rows } = await platform.database.query<{ seconds: number }>(
      `SELECT extract(epoch FROM due_at - clock_timestamp())::double precision AS seconds
       FROM agent.memory_write_outbox WHERE cause IS NOT NULL`,
    )
    return rows[0]?.seconds
  })
  assert.ok(dueIn > 10 && dueIn <= 20, `it comes back in ${dueIn} s`)
})

test('a memory-service that hangs delays a turn by its limit and no more', { timeout: 60_000 }, async (t) => {
  const silent = await startLoopbackServer(t, () => undefined)
  const env = { MEMORY_SERVICE_URL: silent.url, SLUICE_MEMORY_RECALL_TIMEOUT_MS: '300' }
  const platform = await startPlatform(t, { env })
  const begun = performance.now()
  await converse(t, platform, 'What is 2+2?')
  assert.ok(performance.now() - begun < 5_000)
  const unavailable = await metric(platform.worker, 'sluice_memory_recalls_total')
  assert.ok(unavailable >= 1)
})

test('turns that no message began, and turns that failed, are not remembered', { timeout: 60_000 }, async (t) => {
  const memory = await startMemoryService(t)
  const platform = await startPlatform(t, {
    env: { MEMORY_SERVICE_URL: memory.url },
    script: 'rules: [{when: {message: fail me}, then: {status: 400}}]',
  })
  const { sessionId } = await converse(t, platform, 'hello')
  const failed = await say(platform.url, 'fail me', { session_id: sessionId })
  const stream = await watch(t, `${platform.url}/v1/session/${sessionId}/events`)
  assert.equal((await stream.turnEnded(failed.turn_id)).type, 'conversation.turn.failed.v1')
  const response = await fetch(`${platform.url}/v1/session/action`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ session_id: sessionId, action: 'summarize' }),
  })
  const { turn_id } = (await response.json()) as { turn_id: string }
  await stream.turnEnded(turn_id)
  await until('the first is sent', async () => (await waiting(platform)) === 0)
  const { rows } = await memory.database.query<{ content: string }>('SELECT content FROM agent.memory_record')
  assert.deepEqual(
    rows.map(({ content }) => content.split('\n')[0]),
    ['hello'],
  )
})
