import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defineTool } from '../../../functions/tool-executor/tool.ts'
import { tools } from '../../../functions/tool-executor/tools/index.ts'
import { hurryLane } from '../../../shared/delivery/index.ts'
import { until } from '../../support/index.ts'
import { dataOf, post, say, watch, type StreamedEvent } from '../support/client.ts'
import { startPlatform, type Platform } from '../support/platform.ts'

const types = (events: readonly StreamedEvent[]): readonly string[] =>
  events.map(({ type, data }) => {
    const short = type.replace(/^conversation\./, '').replace(/\.v1$/, '')
    return short === 'turn.progressed' ? (data['data'] as { phase: string }).phase : short
  })

const streamOf = ({ url }: Platform, sessionId: string): string => `${url}/v1/session/${sessionId}/events`

test('a conversation', { timeout: 120_000 }, async (t) => {
  const platform = await startPlatform(t)

  await t.test('a question with two tools streams from the message to the answer', async (t) => {
    const { session_id, turn_id, event_id } = await say(platform.url, 'What is 17*23, and what time is it in Lima?')
    const stream = await watch(t, streamOf(platform, session_id))
    const end = dataOf(await stream.turnEnded(turn_id))
    assert.match(String(end['answer']), /391/)
    assert.equal(end['tool_rounds'], 1)
    assert.equal(end['answer'], stream.text(turn_id))
    assert.deepEqual(types(stream.durable()).toSorted(), [
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
    await until('the turn waits', () => types(stream.durable()).includes('model-retried'))
    const begun = performance.now()
    await post(`${platform.url}/v1/session/action`, { session_id, action: 'cancel' })
    assert.equal(dataOf(await stream.turnEnded(turn_id))['reason'], 'cancelled')
    assert.ok(performance.now() - begun < 3_000)
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
    assert.deepEqual(types(stream.durable()).filter((type) => type === 'model-retried').length, 2)
  })

  await t.test('429 is waited out as its Retry-After says', async () => {
    const { end, seconds } = await outcome('rules: [{then: {status: 429, headers: {retry-after: "1"}}, times: 1}]')
    assert.equal(end.type, 'conversation.turn.completed.v1')
    assert.ok(seconds > 0.9 && seconds < 4, `${seconds} s`)
  })

  await t.test('a Retry-After beyond the turn’s deadline ends the turn at once', async () => {
    const { data, seconds, asked } = await outcome('rules: [{then: {status: 429, headers: {retry-after: "60"}}}]')
    assert.equal(data['reason'], 'model_rate_limited')
    assert.equal(asked.length, 1)
    assert.ok(seconds < 2, `${seconds} s`)
  })

  await t.test('500 without end fails the turn within its deadline', async () => {
    const { data, seconds } = await outcome('rules: [{then: {status: 500}}]')
    assert.equal(data['reason'], 'model_unavailable')
    assert.ok(seconds < 7, `${seconds} s`)
  })

  await t.test('a hanging model fails the turn at its deadline', async () => {
    const { data, seconds } = await outcome('rules: [{then: {hang: true}}]')
    assert.equal(data['reason'], 'deadline_exceeded')
    assert.ok(seconds > 5 && seconds < 7.5, `${seconds} s`)
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
    assert.equal(types(stream.durable()).filter((type) => type === 'tool-started').length, 4)
  })

  await t.test(
    'calls that cannot be made are told to the model in the same run, and no event is made of them',
    async () => {
      const script =
        'rules: [{when: {round: 0}, then: {tool_calls: [{name: rm_rf, arguments: {}}, {name: echo, arguments: "{broken"}]}}, {then: {text: "I could not"}}]'
      const { data, turn_id, stream } = await outcome(script)
      assert.deepEqual([data['answer'], data['tool_rounds']], ['I could not', 1])
      assert.equal(types(stream.durable()).filter((type) => type === 'tool-finished').length, 2)
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
    await until('a tool was asked for', () => types(stream.durable()).includes('tool-started'))
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
    const begun = performance.now()
    const other = await say(platform.url, 'What is 7*8?')
    const stream = await watch(t, streamOf(platform, other.session_id))
    await stream.turnEnded(other.turn_id)
    assert.ok(performance.now() - begun < 2_000)
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
