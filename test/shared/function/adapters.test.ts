import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadConfig } from '../../../shared/config/index.ts'
import { createAdapters } from '../../../shared/function/adapters.ts'
import { createSurroundings } from '../../../shared/function/surroundings.ts'
import { defineFunction, anyEvent } from '../../../shared/function/index.ts'
import { createLogger } from '../../../shared/telemetry/index.ts'
import { systemClock } from '../../../shared/time/index.ts'
import { atEnd, startLoopbackServer } from '../../support/index.ts'

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
