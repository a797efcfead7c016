import { test } from 'node:test'
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { decodeChunk } from '../../../shared/model/chat-chunk.ts'
import { SluiceError } from '../../../shared/errors/index.ts'

const decode = (object: unknown) => decodeChunk(JSON.stringify(object))

test('whatever comes is a chunk or malformed, never another error', () => {
  const anything = fc.oneof(
    fc.string(),
    fc.json(),
    fc.json().map((json) => `{"choices":[{"delta":${json},"message":${json}}],"usage":${json}}`),
  )
  fc.assert(
    fc.property(anything, (text) => {
      try {
        decodeChunk(text)
      } catch (error) {
        assert.ok(error instanceof SluiceError && error.code === 'model_malformed')
      }
    }),
  )
})

test('an empty finish reason and an empty model name count as none', () => {
  const { finish, model } = decode({ model: '', choices: [{ delta: {}, finish_reason: '' }] })
  assert.deepEqual([finish, model], [undefined, undefined])
})

test('content in parts is the text of the parts', () => {
  const content = [{ type: 'text', text: 'a' }, { type: 'image' }, { type: 'text', text: 'b' }]
  assert.equal(decode({ choices: [{ message: { content } }] }).text, 'ab')
})

test('usage that is not two counts is no usage', () => {
  for (const usage of [
    null,
    {},
    { prompt_tokens: -1, completion_tokens: 1 },
    { prompt_tokens: 1.5, completion_tokens: 1 },
    { prompt_tokens: '1', completion_tokens: 1 },
  ])
    assert.equal(decode({ choices: [], usage }).usage, undefined)
  assert.deepEqual(decode({ choices: [], usage: { prompt_tokens: 0, completion_tokens: 1 } }).usage, {
    inputTokens: 0,
    outputTokens: 1,
  })
})

test('in a whole answer the place in the list is the index of a call', () => {
  const call = { id: 'a', function: { name: 'x', arguments: '{}' } }
  const { toolCalls } = decode({ choices: [{ message: { tool_calls: [call, call] } }] })
  assert.deepEqual(
    toolCalls.map(({ index }) => index),
    [0, 1],
  )
})
