import { test } from 'node:test'
import assert from 'node:assert/strict'
import { lastQuestion, readChatRequest, roundOf } from '../../../local/rehearsal-model/chat-request.ts'

const call = { id: 'a', type: 'function', function: { name: 'echo', arguments: '{}' } }
const user = { role: 'user', content: 'one' }
const assistant = { role: 'assistant', content: null, tool_calls: [call] }
const result = { role: 'tool', tool_call_id: 'a', content: 'x' }

const read = (messages: readonly object[], more: object = {}) =>
  readChatRequest(JSON.stringify({ model: 'm', messages, ...more }))

const rounds = (messages: readonly object[]) => {
  const answer = read(messages)
  return answer.ok ? roundOf(answer.request.messages) : answer.message
}

test('rounds are counted from the last message of the person', () => {
  assert.equal(rounds([user]), 0)
  assert.equal(rounds([user, assistant, result]), 1)
  assert.equal(rounds([user, assistant, result, assistant, result]), 2)
  assert.equal(rounds([user, assistant, result, { role: 'assistant', content: 'ok' }, user]), 0)
})

test('the last question may come in parts', () => {
  const answer = read([
    {
      role: 'user',
      content: [
        { type: 'text', text: 'What ' },
        { type: 'text', text: 'now?' },
      ],
    },
  ])
  assert.equal(answer.ok && lastQuestion(answer.request.messages), 'What now?')
})

test('calls and results must belong together', () => {
  for (const messages of [
    [user, assistant],
    [user, assistant, user],
    [user, result],
    [user, assistant, result, result],
  ])
    assert.equal(read(messages).ok, false, JSON.stringify(messages))
})

test('tool_choice none means no tools', () => {
  const tools = [{ type: 'function', function: { name: 'echo', parameters: { properties: { text: {} } } } }]
  const offered = (more: object) => {
    const answer = read([user], { tools, ...more })
    return answer.ok ? answer.request.tools : []
  }
  assert.deepEqual(offered({}), [{ name: 'echo', parameters: ['text'] }])
  assert.deepEqual(offered({ tool_choice: 'none' }), [])
})
