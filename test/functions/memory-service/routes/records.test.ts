import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from '../../../support/index.ts'
import { startMemory } from '../../support/memory.ts'

test('one memory by its key', { timeout: 60_000 }, async (t) => {
  const memory = await startMemory(t)
  const path = (key: string, more = ''): string => `/v1/memory/${encodeURIComponent(key)}${more}`

  await t.test('is read as it was written, at once', async () => {
    const written = { key: 'turn:s/1:t?1', content: 'said', namespace: 'n', session_id: 's/1', metadata: { a: 'b' } }
    await memory.remember(written)
    const { status, body } = await memory.ask('GET', path(written.key))
    assert.equal(status, 200)
    const { created_at, written_at, language, ...rest } = body
    assert.deepEqual(rest, { ...written, position: `1@${written.key}` })
    assert.equal(created_at !== undefined && written_at !== undefined && language !== undefined, true)
  })

  await t.test('is another tenant’s only if that tenant wrote it', async () => {
    assert.equal((await memory.ask('GET', path('turn:s/1:t?1'), { tenant: 'other' })).status, 404)
    assert.equal((await memory.ask('DELETE', path('turn:s/1:t?1'), { tenant: 'other' })).status, 404)
    assert.equal((await memory.ask('GET', path('turn:s/1:t?1'))).status, 200)
  })

  await t.test(
    'is gone when it was forgotten: from the record, from recall, and from what the replica kept',
    async () => {
      await memory.remember({ key: 'gone', content: 'the first secret' })
      await memory.remember({ key: 'gone', content: 'the second secret' })
      const { status, body } = await memory.ask('DELETE', path('gone'))
      assert.deepEqual([status, body], [200, { key: 'gone', position: '3@gone' }])
      assert.equal((await memory.ask('GET', path('gone'))).status, 404)
      assert.deepEqual(await memory.recall({ query: 'secret', after: '3@gone', wait_ms: 10_000 }), [])
      const { rows } = await memory.database.query(
        `SELECT sequence, content, search FROM agent.memory_replica WHERE key = 'gone'`,
      )
      assert.deepEqual(rows, [{ sequence: 3, content: '', search: null }])
      const kept = await memory.database.query(`SELECT content FROM agent.memory_record WHERE key = 'gone'`)
      assert.deepEqual(kept.rows, [{ content: '' }])
      assert.equal((await memory.ask('DELETE', path('gone'))).status, 404)
    },
  )

  await t.test('may be remembered again: its chain goes on', async () => {
    const { position } = await memory.remember({ key: 'gone', content: 'no secret any more' })
    assert.equal(position, '4@gone')
    const found = await memory.recall({ query: 'secret', after: position, wait_ms: 10_000 })
    assert.deepEqual(
      found.map(({ content }) => content),
      ['no secret any more'],
    )
  })

  await t.test('a deletion with an Idempotency-Key happens once, and its repeat gets the same answer', async () => {
    await memory.remember({ key: 'twice', content: 'x' })
    const headers = { 'idempotency-key': 'd1' }
    const first = await memory.ask('DELETE', path('twice'), { headers })
    const second = await memory.ask('DELETE', path('twice'), { headers })
    assert.deepEqual([first.status, first.body], [200, { key: 'twice', position: '2@twice' }])
    assert.deepEqual([second.status, second.body], [200, first.body])
    assert.equal((await memory.ask('DELETE', path('other'), { headers })).body['code'], 'idempotency_mismatch')
  })

  await t.test('an unknown key is 404, a key that is too long 422, another method 405', async () => {
    assert.equal((await memory.ask('GET', path('unknown'))).status, 404)
    assert.equal((await memory.ask('GET', path('k'.repeat(201)))).status, 422)
    assert.equal((await memory.ask('PUT', path('k'))).status, 405)
    assert.equal((await memory.ask('POST', path('unknown', '/restate'))).status, 404)
  })

  await t.test('a key of visible ASCII needs no more than URL encoding', async () => {
    const key = '%2e..//\\"<>{}|^`+&=#?;:@'
    await memory.remember({ key, content: 'odd' })
    await until('it is replicated', async () => (await memory.recall({ query: 'odd' })).some((one) => one.key === key))
    assert.equal((await memory.ask('GET', path(key))).body['key'], key)
  })
})
