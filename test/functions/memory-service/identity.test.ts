import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createIdentify } from '../../../functions/memory-service/identity.ts'
import { secret } from '../../../shared/config/index.ts'
import { exchange, post } from '../../shared/function/raw-http.ts'
import { startMemoryService } from '../support/memory.ts'

test('it does not start where other machines could reach it without a token', () => {
  for (const host of ['127.0.0.1', '::1', 'localhost']) createIdentify({ host, memoryServiceToken: undefined })
  createIdentify({ host: '0.0.0.0', memoryServiceToken: secret('t') })
  assert.throws(() => createIdentify({ host: '0.0.0.0', memoryServiceToken: undefined }), { code: 'invalid_option' })
})

test('W-23: a request names its tenant, and is believed only with the token', { timeout: 30_000 }, async (t) => {
  const memory = await startMemoryService(t, { MEMORY_SERVICE_TOKEN: 'a-token' })
  const ask = async (headers: Readonly<Record<string, string>>, tenant = 'local'): Promise<readonly unknown[]> => {
    const { status, body } = await memory.ask('POST', '/v1/memory/recall', { body: {}, headers, tenant })
    return status === 200 ? [200] : [status, body['code']]
  }
  assert.deepEqual(await ask({ authorization: 'Bearer a-token' }), [200])
  assert.deepEqual(await ask({}), [401, 'unauthenticated'])
  assert.deepEqual(await ask({ authorization: 'Bearer another' }), [401, 'unauthenticated'])
  assert.deepEqual(await ask({ authorization: 'a-token' }), [401, 'unauthenticated'])
  for (const tenant of ['', 'Upper', '*', 'a b', 'x'.repeat(64)])
    assert.deepEqual(await ask({ authorization: 'Bearer a-token' }, tenant), [403, 'tenant_invalid'], tenant)
})

test(
  'without a token it serves this machine, and no page whose name was made to resolve to it',
  { timeout: 30_000 },
  async (t) => {
    const { service } = await startMemoryService(t)
    const { port } = service
    const ask = async (host: string): Promise<number> => {
      const headers = { host, 'content-type': 'application/json', 'sluice-tenant': 'local' }
      return (await exchange(port, post(headers, '{}', '/v1/memory/recall'))).status
    }
    assert.equal(await ask(`localhost:${port}`), 200)
    assert.equal(await ask(`evil.example:${port}`), 403)
  },
)
