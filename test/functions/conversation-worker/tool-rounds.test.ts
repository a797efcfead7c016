// Turns that wait for tools: tools that stay away, and calls side by side.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defineTool } from '../../../functions/tool-executor/tool.ts'
import { tools } from '../../../functions/tool-executor/tools/index.ts'
import { until } from '../../support/index.ts'
import { dataOf, say, watch } from '../support/client.ts'
import { startPlatform } from '../support/platform.ts'
import { streamOf, toldTypes } from './told.ts'

test('tools that stay away', { timeout: 60_000 }, async (t) => {
  const platform = await startPlatform(t, { toolsAnswer: false, env: { SLUICE_TURN_DEADLINE_MS: '2000' } })

  await t.test(
    'a tool that never answers fails the turn after its deadline, and the next request is well-formed',
    async (t) => {
      const { session_id, turn_id } = await say(platform.url, 'What is 2*2?')
      const stream = await watch(t, streamOf(platform, session_id))
      const end = await stream.turnEnded(turn_id, 20_000)
      assert.equal(dataOf(end)['reason'], 'deadline_exceeded')
      const { rows } = await platform.database.query<{ status: string }>(
        'SELECT status FROM agent.tool_call WHERE turn_id = $1',
        [turn_id],
      )
      assert.deepEqual(rows, [{ status: 'timed_out' }])
      const second = await say(platform.url, 'hello', { session_id })
      // The rehearsal model refuses a history in which a call has no result, as providers do.
      assert.equal((await stream.turnEnded(second.turn_id)).type, 'conversation.turn.completed.v1')
    },
  )

  await t.test('a turn that waits for tools is interrupted without them', async (t) => {
    const first = await say(platform.url, 'What is 3*3?')
    const { session_id } = first
    const stream = await watch(t, streamOf(platform, session_id))
    await until('a tool was asked for', () => toldTypes(stream.durable()).includes('tool-started'))
    const second = await say(platform.url, 'hello', { session_id, strategy: 'interrupt' })
    assert.equal(dataOf(await stream.turnEnded(first.turn_id))['reason'], 'interrupted')
    assert.equal((await stream.turnEnded(second.turn_id)).type, 'conversation.turn.completed.v1')
    const { rows } = await platform.database.query<{ status: string }>(
      'SELECT status FROM agent.tool_call WHERE turn_id = $1',
      [first.turn_id],
    )
    assert.deepEqual(rows, [{ status: 'cancelled' }])
  })
})

test('side by side', { timeout: 60_000 }, async (t) => {
  const running = new Set<string>()
  let together = 0
  const slow = defineTool<{ readonly name: string }>({
    name: 'slow',
    description: 'Takes a moment, for tests of this file.',
    parameters: {
      type: 'object',
      additionalProperties: false,
      required: ['name'],
      properties: { name: { type: 'string' } },
    },
    effect: 'read',
    limits: { timeoutMs: 5_000, concurrent: 8 },
    run: async ({ name }, { clock, signal }) => {
      running.add(name)
      together = Math.max(together, running.size)
      await clock.sleep(300, signal)
      running.delete(name)
      return name
    },
  })
  const platform = await startPlatform(t, { tools: [...tools, slow] })

  await t.test(
    'W-20: the calls of one round run at the same time, and the turn goes on when the last one is there',
    async (t) => {
      const calls = ['a', 'b', 'c'].map((name) => `{name: slow, arguments: {name: ${name}}}`).join(', ')
      platform.play(`rules: [{when: {round: 0}, then: {tool_calls: [${calls}]}}, {then: {text: done}}]`)
      const { session_id, turn_id } = await say(platform.url, 'go')
      const stream = await watch(t, streamOf(platform, session_id))
      assert.equal(dataOf(await stream.turnEnded(turn_id))['answer'], 'done')
      assert.equal(together, 3)
      assert.equal(platform.model.requests().filter(({ turn }) => turn === turn_id).length, 2)
    },
  )

  await t.test('W-20: a model that takes long in one conversation does not delay another', async (t) => {
    platform.play('rules: [{when: {message: slow}, then: {hang: true}}]')
    const slowOne = await say(platform.url, 'slow')
    await until('the model hangs', () => platform.model.requests().some(({ turn }) => turn === slowOne.turn_id))
    const other = await say(platform.url, 'What is 7*8?')
    const stream = await watch(t, streamOf(platform, other.session_id))
    assert.equal((await stream.turnEnded(other.turn_id)).type, 'conversation.turn.completed.v1')
    const hanging = platform.model.requests().find(({ turn }) => turn === slowOne.turn_id)
    assert.equal(hanging?.outcome, 'running', 'the slow one still hangs')
  })
})
