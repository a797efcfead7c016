import { test } from 'node:test'
import assert from 'node:assert/strict'
import { encodeRequest } from '../../../shared/model/model-request.ts'

test('what is not asked for is not sent', () => {
  const body = JSON.parse(
    encodeRequest({ model: 'm', messages: [{ role: 'user', content: 'x' }], tools: [] }),
  ) as object
  assert.deepEqual(Object.keys(body), ['model', 'messages', 'stream', 'stream_options'])
})

test('an assistant without calls has a text, with calls it may have none', () => {
  const toolCalls = [{ id: 'a', name: 'x', arguments: '{}' }]
  const encoded = JSON.parse(
    encodeRequest({
      model: 'm',
      messages: [
        { role: 'assistant', content: null },
        { role: 'assistant', content: null, toolCalls },
      ],
    }),
  ) as { messages: { content: unknown }[] }
  assert.deepEqual(
    encoded.messages.map(({ content }) => content),
    ['', null],
  )
})
