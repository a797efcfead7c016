// Turns that a person stops, or lets wait: interrupt, reject, cancel, pause.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from '../../support/index.ts'
import { dataOf, post, say, watch } from '../support/client.ts'
import { startPlatform } from '../support/platform.ts'
import { streamOf, toldTypes } from './told.ts'

test('a turn that is not to go on', { timeout: 120_000 }, async (t) => {
  const platform = await startPlatform(t)

  await t.test('a message that interrupts ends the running turn at once and is answered itself', async (t) => {
    platform.play('rules: [{when: {message: endless}, then: {hang_after: 1, text: "I begin and never end"}}]')
    const first = await say(platform.url, 'endless')
    const { session_id } = first
    const stream = await watch(t, streamOf(platform, session_id))
    await until('the model began to answer', () => stream.text(first.turn_id) !== '')
    const begun = performance.now()
    const second = await say(platform.url, 'What is 5+5?', { session_id, strategy: 'interrupt' })
    assert.equal(dataOf(await stream.turnEnded(first.turn_id))['reason'], 'interrupted')
    assert.ok(performance.now() - begun < 1_500, 'the running model call was told over the channel')
    assert.match(String(dataOf(await stream.turnEnded(second.turn_id))['answer']), /10/)
    const asked = platform.model.requests().filter(({ turn }) => turn === first.turn_id)
    assert.deepEqual(
      asked.map(({ outcome }) => outcome),
      ['abandoned'],
    )
  })

  await t.test('an interrupt ends turns that wait, too', async (t) => {
    platform.play('rules: [{when: {message: endless}, then: {hang: true}}]')
    const first = await say(platform.url, 'endless')
    const { session_id } = first
    const stream = await watch(t, streamOf(platform, session_id))
    const second = await say(platform.url, 'What is 1+1?', { session_id })
    const third = await say(platform.url, 'What is 2+2?', { session_id, strategy: 'interrupt' })
    assert.equal(dataOf(await stream.turnEnded(first.turn_id))['reason'], 'interrupted')
    assert.equal(dataOf(await stream.turnEnded(second.turn_id))['reason'], 'interrupted')
    assert.match(String(dataOf(await stream.turnEnded(third.turn_id))['answer']), /4/)
    assert.equal(platform.model.requests().filter(({ turn }) => turn === second.turn_id).length, 0)
  })

  await t.test(
    'a message that rejects is refused while a turn runs, with the turn, and taken when none does',
    async (t) => {
      platform.play('rules: [{when: {message: slow}, then: {delay_ms: 500}}]')
      const first = await say(platform.url, 'slow: hello')
      const { session_id } = first
      const refused = await post(`${platform.url}/v1/session/message`, {
        session_id,
        message: 'hello',
        strategy: 'reject',
      })
      assert.equal(refused.status, 409)
      assert.deepEqual([refused.body['code'], refused.body['turn_id']], ['turn_running', first.turn_id])
      const stream = await watch(t, streamOf(platform, session_id))
      await stream.turnEnded(first.turn_id)
      const second = await say(platform.url, 'hello', { session_id, strategy: 'reject' })
      assert.equal((await stream.turnEnded(second.turn_id)).type, 'conversation.turn.completed.v1')
    },
  )

  await t.test('cancel ends the running turn, and the next one starts', async (t) => {
    platform.play('rules: [{when: {message: endless}, then: {hang: true}}]')
    const first = await say(platform.url, 'endless')
    const { session_id } = first
    const stream = await watch(t, streamOf(platform, session_id))
    await until('the model was asked', () => platform.model.requests().some(({ turn }) => turn === first.turn_id))
    const second = await say(platform.url, 'What is 4+4?', { session_id })
    const cancelled = await post(`${platform.url}/v1/session/action`, { session_id, action: 'cancel' })
    assert.deepEqual([cancelled.status, cancelled.body['turn_id']], [202, first.turn_id])
    assert.equal(dataOf(await stream.turnEnded(first.turn_id))['reason'], 'cancelled')
    assert.match(String(dataOf(await stream.turnEnded(second.turn_id))['answer']), /8/)
  })

  await t.test(
    'a stop that came while the model answered, unheard, still ends the turn: after its 202 nothing completes',
    async (t) => {
      platform.play('rules: [{when: {message: slow}, then: {delay_ms: 400}}]')
      const { session_id, turn_id } = await say(platform.url, 'slow: hello')
      const stream = await watch(t, streamOf(platform, session_id))
      await until('the model was asked', () => platform.model.requests().some(({ turn }) => turn === turn_id))
      await platform.database.query(`UPDATE agent.turn SET interrupt_cause = 'cancelled' WHERE turn_id = $1`, [turn_id])
      assert.equal(dataOf(await stream.turnEnded(turn_id))['reason'], 'cancelled')
      assert.deepEqual(
        platform.model
          .requests()
          .filter(({ turn }) => turn === turn_id)
          .map(({ outcome }) => outcome),
        ['answered'],
      )
    },
  )

  await t.test('cancel does not wait for the next try of a model that asked for a pause', async (t) => {
    platform.play('rules: [{when: {message: limited}, then: {status: 429, headers: {retry-after: "30"}}}]')
    const { session_id, turn_id } = await say(platform.url, 'limited')
    const stream = await watch(t, streamOf(platform, session_id))
    await until('the turn waits', () => toldTypes(stream.durable()).includes('model-retried'))
    const begun = performance.now()
    await post(`${platform.url}/v1/session/action`, { session_id, action: 'cancel' })
    assert.equal(dataOf(await stream.turnEnded(turn_id))['reason'], 'cancelled')
    assert.ok(performance.now() - begun < 3_000)
  })

  await t.test('cancel of a turn that waits leaves the running one alone', async (t) => {
    platform.play('rules: [{when: {message: slow}, then: {delay_ms: 500}}]')
    const first = await say(platform.url, 'slow: what is 2*3?')
    const { session_id } = first
    const stream = await watch(t, streamOf(platform, session_id))
    const second = await say(platform.url, 'What is 4+4?', { session_id })
    await post(`${platform.url}/v1/session/action`, { session_id, action: 'cancel', turn_id: second.turn_id })
    assert.match(String(dataOf(await stream.turnEnded(first.turn_id))['answer']), /6/)
    assert.equal(dataOf(await stream.turnEnded(second.turn_id))['reason'], 'cancelled')
  })

  await t.test('while a session is paused messages wait; resume starts them', async (t) => {
    platform.play('rules: []')
    const { session_id, turn_id } = await say(platform.url, 'hello')
    const stream = await watch(t, streamOf(platform, session_id))
    await stream.turnEnded(turn_id)
    await post(`${platform.url}/v1/session/action`, { session_id, action: 'pause' })
    const second = await say(platform.url, 'What is 9*9?', { session_id })
    await until('the turn waits', async () => {
      const { rows } = await platform.database.query<{ state: string }>(
        'SELECT state FROM agent.turn WHERE turn_id = $1',
        [second.turn_id],
      )
      return rows[0]?.state === 'queued'
    })
    await post(`${platform.url}/v1/session/action`, { session_id, action: 'resume' })
    assert.match(String(dataOf(await stream.turnEnded(second.turn_id))['answer']), /81/)
  })
})
