import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { conversationMessageReceived, toolCallFinished, type ToolCallFinished } from '../../../shared/events/index.ts'
import { until } from '../../support/index.ts'
import { dataOf, say, watch, type Watching } from '../support/client.ts'
import { deadLetters, sendEvent, type SendOptions } from '../support/events.ts'
import { startPlatform, type Platform } from '../support/platform.ts'

interface Waiting {
  readonly stream: Watching
  readonly result: ToolCallFinished
}

/** A turn that waits for one call of `calculate`. */
async function waitingTurn(t: TestContext, { url }: Platform, sessionId?: string): Promise<Waiting> {
  const { session_id, turn_id } = await say(
    url,
    'What is 2*21?',
    sessionId === undefined ? {} : { session_id: sessionId },
  )
  const stream = await watch(t, `${url}/v1/session/${session_id}/events`)
  await until('a tool was asked for', () =>
    stream
      .durable()
      .some(({ data }) => data['turn_id'] === turn_id && dataOf({ data } as never)['phase'] === 'tool-started'),
  )
  return {
    stream,
    result: { session_id, turn_id, call_id: 'c1-1', tool: 'calculate', status: 'succeeded', result: 42 },
  }
}

const send = ({ worker }: Platform, data: ToolCallFinished, options?: SendOptions): Promise<number> =>
  sendEvent(worker.port, { type: toolCallFinished, data }, options)

const settled = ({ database }: Platform): Promise<unknown> =>
  until('every event is settled', async () => (await database.query('SELECT FROM sluice.parked')).rowCount === 0)

test('results of tools', { timeout: 120_000 }, async (t) => {
  const platform = await startPlatform(t, { toolsAnswer: false })
  const { database } = platform
  const callRow = async ({ turn_id }: ToolCallFinished): Promise<unknown> =>
    (await database.query('SELECT status, result, late FROM agent.tool_call WHERE turn_id = $1', [turn_id])).rows[0]

  await t.test('57: a result that nobody asked for is a dead letter and changes nothing', async (t) => {
    const { stream, result } = await waitingTurn(t, platform)
    const other = await waitingTurn(t, platform)
    const before = (await deadLetters(database, 'conversation-worker')).length
    const forged: readonly (readonly [ToolCallFinished, SendOptions?])[] = [
      [{ ...result, call_id: 'c9-9' }],
      [{ ...result, turn_id: other.result.turn_id }],
      [{ ...result, session_id: other.result.session_id }],
      [{ ...result, session_id: 'no-such-session' }],
      [{ ...result, tool: 'http_fetch' }],
      [result, { tenant: 'acme' }],
    ]
    for (const [data, options] of forged) assert.equal(await send(platform, data, options), 202)
    await settled(platform)
    const causes = (await deadLetters(database, 'conversation-worker')).slice(before)
    assert.deepEqual(causes.toSorted(), [
      'tenant_invalid',
      'unknown_request',
      'unknown_request',
      'unknown_request',
      'unknown_request',
      'unknown_request',
    ])
    assert.deepEqual(await callRow(result), { status: 'requested', result: null, late: null })
    assert.equal(
      (await database.query(`SELECT FROM agent.session WHERE session_id = 'no-such-session' OR tenant = 'acme'`))
        .rowCount,
      0,
    )
    await send(platform, result)
    assert.match(String(dataOf(await stream.turnEnded(result.turn_id))['answer']), /42/)
  })

  await t.test(
    'W-16: the same result five times at once, and once more under another id, resumes the turn once',
    async (t) => {
      const { stream, result } = await waitingTurn(t, platform)
      await Promise.all(Array.from({ length: 5 }, () => send(platform, result, { id: `result-of-${result.turn_id}` })))
      await stream.turnEnded(result.turn_id)
      await send(platform, { ...result, result: 43 })
      await settled(platform)
      const phases = stream.durable().filter(({ data }) => dataOf({ data } as never)['phase'] === 'tool-finished')
      assert.equal(phases.length, 1)
      assert.equal(platform.model.requests().filter(({ turn }) => turn === result.turn_id).length, 2)
      assert.deepEqual(await callRow(result), { status: 'succeeded', result: 42, late: { ...result, result: 43 } })
    },
  )

  await t.test('a late result is kept and resumes nothing', async (t) => {
    const { stream, result } = await waitingTurn(t, platform)
    const next = await say(platform.url, 'hello', { session_id: result.session_id, strategy: 'interrupt' })
    await stream.turnEnded(next.turn_id)
    await send(platform, result)
    await settled(platform)
    assert.deepEqual(await callRow(result), { status: 'cancelled', result: null, late: result })
    assert.equal(stream.durable().at(-1)?.data['turn_id'], next.turn_id)
    assert.equal(platform.model.requests().filter(({ turn }) => turn === result.turn_id).length, 1)
  })

  await t.test('a result that failed is told to the model with its reason', async (t) => {
    const { stream, result } = await waitingTurn(t, platform)
    const { result: _result, ...failed } = {
      ...result,
      status: 'failed' as const,
      error: { code: 'calculation_failed', message: 'division by zero' },
    }
    await send(platform, failed)
    assert.match(String(dataOf(await stream.turnEnded(result.turn_id))['answer']), /division by zero/)
  })
})

test('messages that come past the gateway, or again', { timeout: 60_000 }, async (t) => {
  const platform = await startPlatform(t)
  const { database, worker } = platform
  const message = (sessionId: string, turnId = 't1') => ({
    type: conversationMessageReceived,
    data: { session_id: sessionId, turn_id: turnId, message: 'hello' },
  })
  const endOf = (sessionId: string): Promise<unknown> =>
    until(
      'the turn ended',
      async () =>
        (await database.query(`SELECT FROM agent.turn WHERE session_id = $1 AND state = 'completed'`, [sessionId]))
          .rowCount > 0,
    )

  await t.test('a message to a session that does not exist begins it', async () => {
    assert.equal(await sendEvent(worker.port, message('from-afar')), 202)
    await endOf('from-afar')
  })

  await t.test(
    'W-13, W-16: a repeated message is stored once, asked once, and leaves no gap in the positions',
    async () => {
      await Promise.all(Array.from({ length: 5 }, () => sendEvent(worker.port, message('again'), { id: 'one-id' })))
      await endOf('again')
      await sendEvent(worker.port, message('again'), { id: 'another-id' })
      await sendEvent(worker.port, message('again', 't2'))
      await until(
        'both turns ended',
        async () =>
          (await database.query(`SELECT FROM agent.turn WHERE session_id = 'again' AND state = 'completed'`))
            .rowCount === 2,
      )
      const { rows } = await database.query<{ position: number; turn_id: string }>(
        `SELECT position, turn_id FROM agent.session_event WHERE session_id = 'again' ORDER BY position`,
      )
      assert.deepEqual(
        rows.map(({ position, turn_id }) => `${position} ${turn_id}`),
        ['1 t1', '2 t1', '3 t1', '4 t2', '5 t2', '6 t2'],
      )
      assert.equal(
        platform.model.requests().filter(({ session, turn }) => session === 'again' && turn === 't1').length,
        1,
      )
    },
  )

  await t.test('a session of another tenant is not entered', async () => {
    await database.query(`INSERT INTO agent.session (tenant, session_id) VALUES ('acme', 'of-acme')`)
    await sendEvent(worker.port, message('of-acme'))
    await until('it is a dead letter', async () =>
      (await deadLetters(database, 'conversation-worker')).includes('tenant_invalid'),
    )
    assert.equal((await database.query(`SELECT FROM agent.turn WHERE session_id = 'of-acme'`)).rowCount, 0)
  })
})
