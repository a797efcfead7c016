// The functions under Google's Functions Framework, by its own test server.
// Every request names a content type: without one the Framework answers 500 before it calls the function.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { globSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { getFunction, getTestServer } from '@google-cloud/functions-framework/testing'
import { atEnd, createTestDatabase, projectRoot } from '../support/index.ts'
import { openDatabase } from '../shared/function/open-database.ts'

/** The contracts of all event functions, by their folders. */
async function eventFunctions(): Promise<readonly string[]> {
  const contracts = globSync('functions/*/function.ts', { cwd: projectRoot }).map(async (file) => {
    const exported = (await import(join(projectRoot, file))) as Record<
      string,
      { readonly kind?: string; readonly name?: string }
    >
    return Object.values(exported).filter(({ kind }) => kind === 'event')
  })
  return (await Promise.all(contracts)).flat().map(({ name = '' }) => name)
}

const headers = {
  'content-type': 'application/json',
  'ce-specversion': '1.0',
  'ce-id': 'call-1',
  'ce-source': '/test',
  'ce-type': 'tool.call.requested.v1',
  'ce-tenant': 'local',
  'ce-partitionkey': 's1',
}
const call = { session_id: 's1', turn_id: 't1', call_id: 'c1', tool: 'echo', arguments: { text: 'hello' } }

async function serveFunction(t: TestContext, name: string): Promise<string> {
  const server = getTestServer(name).listen(0, '127.0.0.1')
  await once(server, 'listening')
  atEnd(t, () => new Promise((resolve) => server.close(resolve)))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
}

test('every event function is registered under its name', async () => {
  await import('../../functions/index.ts')
  const names = await eventFunctions()
  assert.ok(names.length >= 2, `only ${names.length} event functions were found`)
  for (const name of names)
    assert.equal(typeof getFunction(name), 'function', `${name} is missing in functions/index.ts`)
})

test(
  'an event is taken in as in production: validated, stored, absorbed when it comes again',
  { timeout: 60_000 },
  async (t) => {
    const { url } = await createTestDatabase(t)
    const database = await openDatabase(t, url)
    process.env['DATABASE_URL'] = url
    await import('../../functions/index.ts')
    const address = await serveFunction(t, 'tool-executor')
    const send = async (changes: Record<string, string>, data: unknown): Promise<number> => {
      const response = await fetch(address, {
        method: 'POST',
        headers: { ...headers, ...changes },
        body: JSON.stringify(data),
      })
      await response.arrayBuffer()
      return response.status
    }
    assert.deepEqual([await send({}, call), await send({}, call)], [204, 204])
    assert.equal(await send({ 'ce-id': 'bad' }, { nonsense: true }), 204)
    const { rows: parked } = await database.query('SELECT id, tenant FROM sluice.parked')
    assert.deepEqual(parked, [{ id: 'call-1', tenant: 'local' }])
    const { rows: dead } = await database.query('SELECT id, cause FROM sluice.dead_letter')
    assert.deepEqual(dead, [{ id: 'bad', cause: 'data_invalid' }])
  },
)

test(
  'without a content type the Framework answers 500 and the function is not called: why production has its own server',
  { timeout: 30_000 },
  async (t) => {
    await import('../../functions/index.ts')
    const address = await serveFunction(t, 'tool-executor')
    const { 'content-type': _, ...bare } = headers
    const response = await fetch(address, { method: 'POST', headers: bare, body: Buffer.from(JSON.stringify(call)) })
    assert.equal(response.status, 500)
  },
)
