import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadConfig } from '../../../shared/config/index.ts'
import { conversationMessageReceived, topics } from '../../../shared/events/index.ts'
import { createAdapters } from '../../../shared/function/adapters.ts'
import { createSurroundings } from '../../../shared/function/surroundings.ts'
import { defineFunction, anyEvent } from '../../../shared/function/index.ts'
import { createLogger } from '../../../shared/telemetry/index.ts'
import { systemClock } from '../../../shared/time/index.ts'
import { atEnd, createTestDatabase, startLoopbackServer } from '../../support/index.ts'

const thinker = defineFunction({
  name: 'thinker',
  purpose: 'Asks the model',
  consumes: anyEvent,
  produces: [],
  execution: 'stateless',
  ordering: 'none',
  needs: ['model'],
  scale: { min: 0, max: 1, concurrency: 1 },
})

const consumes = [{ topic: topics.conversationInbound, type: conversationMessageReceived }]

const request = { model: 'm', messages: [{ role: 'user', content: 'hello' }] } as const
const limits = {
  SLUICE_MODEL_FIRST_TOKEN_TIMEOUT_MS: 'first token',
  SLUICE_MODEL_TOTAL_TIMEOUT_MS: 'total',
}

for (const [variable, phase] of Object.entries(limits)) {
  test(`${variable} bounds a model that says nothing`, { timeout: 20_000 }, async (t) => {
    const silent = await startLoopbackServer(t, () => {})
    const never = new AbortController().signal
    const surroundings = createSurroundings({
      name: 'thinker',
      config: loadConfig({ MODEL_BASE_URL: `${silent.url}/v1`, [variable]: '100' }),
      clock: systemClock,
      log: createLogger({ function: 'thinker', level: 'silent' }),
      draining: never,
    })
    const { model } = await createAdapters(thinker, surroundings)
    assert.ok(model !== undefined)
    atEnd(t, () => model.stop())
    await assert.rejects(model.complete(request, { signal: never }), { code: 'model_timeout', details: { phase } })
  })
}

for (const { execution, timeoutMs, idle } of [
  { execution: 'transaction', timeoutMs: 30_000, idle: '31s' },
  { execution: 'transaction', timeoutMs: 1_000, idle: '10s' },
  { execution: 'steps', timeoutMs: 30_000, idle: '10s' },
] as const) {
  test(`a transaction of a '${execution}' function of ${timeoutMs} ms may be idle for ${idle}`, async (t) => {
    const { url } = await createTestDatabase(t)
    const delivery = { attempts: 1, backoff: { firstMs: 1, maxMs: 1 }, timeoutMs, onExhausted: 'dead-letter' } as const
    const definition = defineFunction({ ...thinker, consumes, execution, needs: ['postgres'], delivery })
    const { database, components } = await createAdapters(
      definition,
      createSurroundings({
        name: 'thinker',
        config: loadConfig({ DATABASE_URL: url }),
        clock: systemClock,
        log: createLogger({ function: 'thinker', level: 'silent' }),
        draining: new AbortController().signal,
      }),
    )
    assert.ok(database !== undefined)
    for (const { stop } of components) atEnd(t, () => stop())
    await database.start(AbortSignal.timeout(10_000))
    const { rows } = await database.query('SHOW idle_in_transaction_session_timeout')
    assert.deepEqual(rows, [{ idle_in_transaction_session_timeout: idle }])
  })
}
