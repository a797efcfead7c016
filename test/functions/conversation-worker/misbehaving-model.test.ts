// A model that fails, hangs, sends garbage or never comes to an end.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dataOf, say, watch } from '../support/client.ts'
import { startPlatform } from '../support/platform.ts'
import { streamOf, toldTypes } from './told.ts'

test('a model that misbehaves ends in another try or in a typed end', { timeout: 120_000 }, async (t) => {
  const platform = await startPlatform(t, { env: { SLUICE_TURN_DEADLINE_MS: '6000' } })
  const outcome = async (script: string, message = 'hello') => {
    platform.play(script)
    const { session_id, turn_id } = await say(platform.url, message)
    const stream = await watch(t, streamOf(platform, session_id))
    const begun = performance.now()
    const end = await stream.turnEnded(turn_id)
    const asked = platform.model.requests().filter(({ turn }) => turn === turn_id)
    return { end, data: dataOf(end), stream, turn_id, asked, seconds: (performance.now() - begun) / 1_000 }
  }

  await t.test('500 twice, then an answer', async () => {
    const { end, asked, stream } = await outcome('rules: [{then: {status: 500}, times: 2}]')
    assert.equal(end.type, 'conversation.turn.completed.v1')
    assert.equal(asked.length, 3)
    assert.deepEqual(toldTypes(stream.durable()).filter((type) => type === 'model-retried').length, 2)
  })

  await t.test('429 is waited out as its Retry-After says', async () => {
    const { end, seconds } = await outcome('rules: [{then: {status: 429, headers: {retry-after: "1"}}, times: 1}]')
    assert.equal(end.type, 'conversation.turn.completed.v1')
    assert.ok(seconds > 0.9, `${seconds} s`)
  })

  await t.test('a Retry-After beyond the turn’s deadline ends the turn at once', async () => {
    const { data, seconds, asked } = await outcome('rules: [{then: {status: 429, headers: {retry-after: "60"}}}]')
    assert.equal(data['reason'], 'model_rate_limited')
    assert.equal(asked.length, 1)
    assert.ok(seconds < 6, `${seconds} s`)
  })

  await t.test('500 without end fails the turn within its deadline', async () => {
    const { data, seconds } = await outcome('rules: [{then: {status: 500}}]')
    assert.equal(data['reason'], 'model_unavailable')
    assert.ok(seconds < 10, `${seconds} s`)
  })

  await t.test('a hanging model fails the turn at its deadline', async () => {
    const { data, seconds } = await outcome('rules: [{then: {hang: true}}]')
    assert.equal(data['reason'], 'deadline_exceeded')
    assert.ok(seconds > 5 && seconds < 10, `${seconds} s`)
  })

  for (const garbage of ['html', 'json', 'bytes', 'chunk']) {
    await t.test(`garbage (${garbage}) once is tried again`, async () => {
      const { end, asked } = await outcome(`rules: [{then: {garbage: ${garbage}}, times: 1}]`)
      assert.equal(end.type, 'conversation.turn.completed.v1')
      assert.equal(asked.length, 2)
    })
  }

  await t.test('a stream that is cut begins again, and its partial text is replaced', async () => {
    const { data, stream, turn_id } = await outcome(
      'rules: [{then: {cut_after: 2, text: "This text will not be the answer"}, times: 1}, {then: {text: "The answer"}}]',
    )
    assert.equal(data['answer'], 'The answer')
    assert.equal(stream.text(turn_id), 'The answer')
    assert.deepEqual(
      [...new Set(stream.events.filter(({ type }) => type === 'delta').map(({ data: piece }) => piece['attempt']))],
      [1, 2],
    )
  })

  await t.test('wrong credentials and a conversation that is too long end at once', async () => {
    assert.equal((await outcome('rules: [{then: {status: 401}}]')).data['reason'], 'model_auth')
    const tooLong = await outcome(
      'rules: [{then: {status: 400, body: {error: {code: context_length_exceeded, message: too long}}}}]',
    )
    assert.equal(tooLong.data['reason'], 'model_context_too_long')
  })

  await t.test('a model that asks for tools without end is stopped after the profile’s rounds', async () => {
    const { data, stream } = await outcome('rules: [{then: {tool_calls: [{name: echo, arguments: {text: again}}]}}]')
    assert.equal(data['reason'], 'tool_rounds_exceeded')
    assert.equal(toldTypes(stream.durable()).filter((type) => type === 'tool-started').length, 4)
  })

  await t.test(
    'calls that cannot be made are told to the model in the same run, and no event is made of them',
    async () => {
      const script =
        'rules: [{when: {round: 0}, then: {tool_calls: [{name: rm_rf, arguments: {}}, {name: echo, arguments: "{broken"}]}}, {then: {text: "I could not"}}]'
      const { data, turn_id, stream } = await outcome(script)
      assert.deepEqual([data['answer'], data['tool_rounds']], ['I could not', 1])
      assert.equal(toldTypes(stream.durable()).filter((type) => type === 'tool-finished').length, 2)
      const { rows } = await platform.database.query(
        'SELECT FROM sluice.outbox WHERE topic = $1 AND event::text LIKE $2',
        ['tool.requests', `%${turn_id}%`],
      )
      assert.equal(rows.length, 0)
    },
  )

  await t.test('an empty answer is an answer (W-29)', async () => {
    const { end, data } = await outcome('rules: [{then: {text: ""}}]')
    assert.deepEqual([end.type, data['answer']], ['conversation.turn.completed.v1', ''])
  })
})
