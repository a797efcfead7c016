// A conversation from the message to the answer, and what nobody foresaw.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hurryLane } from '../../../shared/delivery/index.ts'
import { until } from '../../support/index.ts'
import { dataOf, post, say, watch } from '../support/client.ts'
import { startPlatform } from '../support/platform.ts'
import { streamOf, toldTypes } from './told.ts'

test('a conversation', { timeout: 120_000 }, async (t) => {
  const platform = await startPlatform(t)

  await t.test('a question with two tools streams from the message to the answer', async (t) => {
    const { session_id, turn_id, event_id } = await say(platform.url, 'What is 17*23, and what time is it in Lima?')
    const stream = await watch(t, streamOf(platform, session_id))
    const end = dataOf(await stream.turnEnded(turn_id))
    assert.match(String(end['answer']), /391/)
    assert.equal(end['tool_rounds'], 1)
    assert.equal(end['answer'], stream.text(turn_id))
    assert.deepEqual(toldTypes(stream.durable()).toSorted(), [
      'message.received',
      'tool-finished',
      'tool-finished',
      'tool-started',
      'tool-started',
      'turn.completed',
      'turn.started',
    ])
    assert.deepEqual(
      stream.durable().map(({ id }) => Number(id)),
      [1, 2, 3, 4, 5, 6, 7],
    )
    assert.equal(stream.durable()[0]?.data['event_id'], event_id)
  })

  await t.test(
    'the model hears of both results under its own call ids, and usage adds up over the rounds',
    async (t) => {
      const { session_id, turn_id } = await say(platform.url, 'What is 6*7?')
      const stream = await watch(t, streamOf(platform, session_id))
      const { usage } = dataOf(await stream.turnEnded(turn_id)) as {
        usage: { input_tokens: number; output_tokens: number }
      }
      const { rows } = await platform.database.query<{ input_tokens: number; model_call_id: string }>(
        'SELECT input_tokens, model_call_id FROM agent.turn_round JOIN agent.tool_call USING (tenant, session_id, turn_id, round) WHERE turn_id = $1',
        [turn_id],
      )
      assert.equal(rows.length, 1)
      assert.ok(rows[0] !== undefined && usage.input_tokens > rows[0].input_tokens)
      assert.match(rows[0].model_call_id, /^call_/)
    },
  )

  await t.test('a later message is understood from the ones before', async (t) => {
    const { session_id, turn_id } = await say(platform.url, 'My name is Ada.')
    const stream = await watch(t, streamOf(platform, session_id))
    await stream.turnEnded(turn_id)
    const second = await say(platform.url, 'What is my name?', { session_id })
    assert.match(String(dataOf(await stream.turnEnded(second.turn_id))['answer']), /Ada/)
  })

  await t.test('W-9: messages of a session are answered in the order in which they were taken', async (t) => {
    platform.play('rules: [{when: {message: slow}, then: {delay_ms: 400}}]')
    const first = await say(platform.url, 'slow: what is 1+1?')
    const { session_id } = first
    const stream = await watch(t, streamOf(platform, session_id))
    const waiting = [
      await say(platform.url, 'What is 2+2?', { session_id, strategy: 'enqueue' }),
      await say(platform.url, 'What is 3+3?', { session_id }),
    ]
    for (const { turn_id } of [first, ...waiting]) await stream.turnEnded(turn_id)
    const order = stream
      .durable()
      .filter(({ type }) => /turn\.(started|completed)/.test(type))
      .map(({ data }) => data['turn_id'])
    const [second, third] = waiting.map(({ turn_id }) => turn_id)
    assert.deepEqual(order, [first.turn_id, first.turn_id, second, second, third, third])
  })

  await t.test('a persona answers by its own instructions, with the model of its profile', async (t) => {
    platform.play('rules: []')
    await platform.database.query(
      `INSERT INTO agent.persona (tenant, persona_id, display_name, instructions, profile) VALUES ('local', 'ada', 'Ada', 'You are Ada.', 'careful')`,
    )
    await platform.database.query(
      `INSERT INTO agent.model_profile (tenant, profile, model) VALUES ('local', 'careful', 'careful-model')`,
    )
    const { session_id, turn_id } = await say(platform.url, 'Who are you?', { persona_id: 'ada' })
    const stream = await watch(t, streamOf(platform, session_id))
    const { answer, model } = dataOf(await stream.turnEnded(turn_id))
    assert.match(String(answer), /Ada/)
    assert.equal(model, 'careful-model')
  })

  await t.test('an action that asks the agent is answered like a message', async (t) => {
    const { session_id, turn_id } = await say(platform.url, 'My name is Ada.')
    const stream = await watch(t, streamOf(platform, session_id))
    await stream.turnEnded(turn_id)
    const asked = await post(`${platform.url}/v1/session/action`, { session_id, action: 'summarize' })
    const end = await stream.turnEnded(String(asked.body['turn_id']))
    assert.equal(end.type, 'conversation.turn.completed.v1')
    assert.ok(
      stream
        .durable()
        .some(
          ({ type, data }) =>
            type === 'conversation.action.requested.v1' && data['event_id'] === asked.body['event_id'],
        ),
    )
  })
})

test('W-4: what nobody foresaw ends the turn, too', { timeout: 60_000 }, async (t) => {
  await t.test('an error of another kind from the model client', async (t) => {
    const complete = (): Promise<never> => Promise.reject(new TypeError('secret detail'))
    const platform = await startPlatform(t, {
      env: { SLUICE_TURN_DEADLINE_MS: '2000' },
      workerParts: (parts) => ({ ...parts, model: { ...parts.model, complete } }),
    })
    const { session_id, turn_id } = await say(platform.url, 'hello')
    const stream = await watch(t, streamOf(platform, session_id))
    const { reason, detail } = dataOf(await stream.turnEnded(turn_id))
    assert.equal(reason, 'internal')
    assert.doesNotMatch(String(detail), /secret/)
  })

  await t.test('an error that stays to the last attempt of the event', async (t) => {
    const platform = await startPlatform(t)
    const { database } = platform
    await database.query('ALTER TABLE agent.turn_round RENAME TO elsewhere')
    const { session_id, turn_id } = await say(platform.url, 'hello')
    const stream = await watch(t, streamOf(platform, session_id))
    await until('it failed', async () => {
      const { rowCount } = await database.query('UPDATE sluice.parked SET attempts = 7 WHERE cause IS NOT NULL')
      return rowCount > 0
    })
    await hurryLane(database, { function: 'conversation-worker', key: session_id })
    assert.equal(dataOf(await stream.turnEnded(turn_id))['reason'], 'attempts_exhausted')
  })
})

test('W-14: comfort that fails costs nothing but comfort', { timeout: 60_000 }, async (t) => {
  const publish = (): Promise<never> => Promise.reject(new Error('the channel is away'))
  const platform = await startPlatform(t, {
    gateway: { pollMs: 50 },
    workerParts: (parts) => ({ ...parts, channel: { ...parts.channel, publish } }),
  })
  const { session_id, turn_id } = await say(platform.url, 'What is 3*9?')
  const stream = await watch(t, streamOf(platform, session_id))
  assert.match(String(dataOf(await stream.turnEnded(turn_id))['answer']), /27/)
  assert.equal(stream.text(turn_id), '')
})
