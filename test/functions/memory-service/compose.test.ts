import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMemoryService } from '../../../functions/memory-service/compose.ts'
import type { memoryService } from '../../../functions/memory-service/function.ts'
import { loadConfig } from '../../../shared/config/index.ts'
import type { Resources } from '../../../shared/function/index.ts'

const compose = (env: Readonly<Record<string, string>>): unknown =>
  createMemoryService({ config: loadConfig(env) } as Resources<typeof memoryService>)

test('memory-service is not put together where anybody could read every tenant’s memories', () => {
  assert.throws(() => compose({ SLUICE_HOST: '0.0.0.0' }), { code: 'invalid_option' })
  compose({ SLUICE_HOST: '0.0.0.0', MEMORY_SERVICE_TOKEN: 't' })
  compose({})
})
