import assert from 'node:assert/strict'
import { test } from 'node:test'
import { call, say } from '../../support/client.ts'
import { createSession, startGateway, storeEvents } from '../../support/gateway-server.ts'

interface Page {
  readonly sessions: readonly { readonly session_id: string }[]
  readonly next_cursor: string | null
}

test('reading sessions', { timeout: 60_000 }, async (t) => {
  const { url, database } = await startGateway(t)

  await t.test(
    'pages go from the latest message to the oldest, without a gap or a repeat, also among equal times',
    async () => {
      for (let n = 0; n < 7; n += 1) await createSession(database, `s${n}`)
      await database.query(
        `UPDATE agent.session SET updated_at = '2026-01-01T00:00:00.123456Z' WHERE session_id IN ('s1', 's2', 's3', 's4')`,
      )
      const seen: string[] = []
      let cursor: string | null = null
      do {
        const query: string = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`
        const page = (await call(`${url}/v1/sessions?limit=2${query}`)).body as unknown as Page
        seen.push(...page.sessions.map(({ session_id }) => session_id))
        cursor = page.next_cursor
      } while (cursor !== null)
      assert.deepEqual(seen, ['s6', 's5', 's0', 's4', 's3', 's2', 's1'])
    },
  )

  await t.test('W-21: another tenant’s sessions are not in the list', async () => {
    await createSession(database, 'of-acme', 'acme')
    const { sessions } = (await call(`${url}/v1/sessions?limit=200`)).body as unknown as Page
    assert.ok(sessions.every(({ session_id }) => session_id !== 'of-acme'))
  })

  await t.test('a session tells its last turns', async () => {
    const { session_id, turn_id } = await say(url, 'hello')
    const { body } = await call(`${url}/v1/sessions/${session_id}`)
    assert.deepEqual(
      [body['session_id'], body['paused'], body['strategy'], body['last_position']],
      [session_id, false, 'enqueue', 0],
    )
    const [turn] = body['turns'] as readonly Record<string, unknown>[]
    assert.deepEqual([turn?.['turn_id'], turn?.['state'], turn?.['ended_at']], [turn_id, 'accepted', null])
  })

  await t.test('events come by position, a page at a time', async () => {
    await createSession(database, 'with-events')
    await storeEvents(database, 'with-events', { types: Array.from({ length: 7 }, (_, n) => `type.${n}`) })
    const first = (await call(`${url}/v1/sessions/with-events/events?limit=4`)).body
    const second = (await call(`${url}/v1/sessions/with-events/events?limit=4&after=${String(first['next_after'])}`))
      .body
    const events = [first, second].flatMap(
      (page) => page['events'] as readonly { position: number; type: string; data: object }[],
    )
    assert.deepEqual(
      events.map(({ position }) => position),
      [1, 2, 3, 4, 5, 6, 7],
    )
    assert.deepEqual(events[0], { ...events[0], type: 'type.0', turn_id: 't1', data: { turn_id: 't1', number: 1 } })
    const beyond = (await call(`${url}/v1/sessions/with-events/events?after=99`)).body
    assert.deepEqual([beyond['events'], beyond['next_after']], [[], 99])
  })

  await t.test('the API describes itself', async () => {
    const { status, body } = await call(`${url}/openapi.json`)
    assert.deepEqual([status, body['openapi']], [200, '3.1.0'])
  })
})
