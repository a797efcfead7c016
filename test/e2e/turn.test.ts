import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { until } from '../support/index.ts'
import { startPlatform } from './support/index.ts'

test(
  'a message becomes an answer that came from a tool, and everybody watching sees how',
  { timeout: 90_000 },
  async (t) => {
    const platform = await startPlatform(t)
    const turn = await platform.send('What is 17*23?')
    const answer = await turn.completed()
    assert.match(answer, /391/)
    assert.deepEqual(turn.watch.story(), [
      'message.received',
      'turn.started',
      'turn.progressed tool-started calculate',
      'turn.progressed tool-finished calculate succeeded',
      'turn.completed',
    ])
    assert.equal(turn.watch.deltas.map(({ text }) => text).join(''), answer, 'the pieces are the answer')

    const pieces = platform.model.requests().filter(({ turn: id }) => id === turn.turnId)
    assert.deepEqual(
      pieces.map(({ round }) => round),
      [0, 1],
      'the model was asked once a round',
    )

    const { rows } = await platform.database.query<{ tool: string; status: string }>(
      'SELECT tool, status FROM agent.tool_call WHERE turn_id = $1',
      [turn.turnId],
    )
    assert.deepEqual(rows, [{ tool: 'calculate', status: 'succeeded' }])
  },
)

test('one trace id joins the whole turn in the logs of every function', { timeout: 90_000 }, async (t) => {
  const platform = await startPlatform(t, { env: { LOG_LEVEL: 'debug' } })
  const turn = await platform.send('What is 6*7?')
  await turn.completed()
  const functions = ['gateway', 'conversation-worker', 'tool-executor']
  await until(`the trace is in the logs of ${functions.join(', ')}`, () =>
    functions.every((name) => readFileSync(join(platform.logFolder, `${name}.log`), 'utf8').includes(turn.traceId)),
  )
  const [request] = platform.model.requests()
  assert.equal(request?.trace_id, turn.traceId, 'the model is told the trace, too')
  assert.ok(readdirSync(platform.logFolder).includes('outbox-sync.log'))
})

test('a second message of the session continues the conversation', { timeout: 90_000 }, async (t) => {
  const platform = await startPlatform(t)
  const first = await platform.send('My name is Ada.')
  await first.completed()
  const second = await platform.send('What is my name?', { sessionId: first.sessionId })
  assert.match(await second.completed(), /Ada/)
})
