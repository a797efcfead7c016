// Answers that end too early, are none, or do not end.

import { test } from 'node:test'
import assert from 'node:assert/strict'
import { calls, chunk, done, hello, sse, startModel, stop, stream, text } from './misbehaving-model.ts'

const cuts = {
  'after the first words': text('half'),
  'after hello': hello,
  'within an event': text('half') + 'data: {"choi',
  'within a tool call': calls({ index: 0, id: 'a', function: { name: 'echo', arguments: '{"te' } }),
}

for (const [when, sent] of Object.entries(cuts)) {
  test(`a stream that ends ${when} is cut, however politely`, async (t) => {
    const politely = await startModel(t, (response) => stream(response).end(sent))
    await assert.rejects(politely.ask(), { code: 'model_cut' })
    const rudely = await startModel(t, (response) => {
      stream(response).write(sent)
      setTimeout(() => response.destroy(), 20)
    })
    await assert.rejects(rudely.ask(), { code: 'model_cut' })
    assert.equal(rudely.bodies.length, 1, 'no second request: pieces may have been told')
  })
}

const garbage: Readonly<Record<string, readonly [contentType: string | undefined, body: string | Buffer]>> = {
  'a web page': ['text/html', '<html>Welcome to the portal</html>'],
  'no content type': [undefined, text('x') + stop + done],
  'JSON that is no answer': ['application/json', '{"ok":true}'],
  'JSON that is not JSON': ['application/json', '{"choices":['],
  'an empty JSON answer': ['application/json', '{"choices":[]}'],
  'a chunk that is not JSON': ['text/event-stream', text('x') + sse('{"choices": oops')],
  'a chunk that is a list': ['text/event-stream', sse([1, 2])],
  'a chunk without choices': ['text/event-stream', sse({ hello: 'world' })],
  'lines that are no events': ['text/event-stream', '<html>\nWelcome\n</html>\n\n'],
  'bytes that are not UTF-8': [
    'text/event-stream',
    Buffer.from([0x64, 0x61, 0x74, 0x61, 0x3a, 0xff, 0xfe, 0x0a, 0x0a]),
  ],
  'nothing but [DONE]': ['text/event-stream', done],
  'a tool call without a name': [
    'text/event-stream',
    calls({ index: 0, id: 'a', function: { arguments: '{}' } }) + stop + done,
  ],
  'tool calls that are no list': ['text/event-stream', chunk({ tool_calls: 'echo' })],
}

for (const [what, [contentType, body]] of Object.entries(garbage)) {
  test(`${what} is malformed`, async (t) => {
    const model = await startModel(t, (response) => {
      if (contentType !== undefined) response.setHeader('content-type', contentType)
      response.end(body)
    })
    await assert.rejects(model.ask(), { code: 'model_malformed' })
  })
}

test('an answer over the cap is stopped, as text and as arguments', async (t) => {
  const long = 'x'.repeat(60)
  for (const piece of [text(long), calls({ index: 0, id: 'a', function: { name: 'echo', arguments: long } })]) {
    const fits = await startModel(t, (response) => stream(response).end(piece + stop + done), { maxAnswerChars: 60 })
    await fits.ask()
    const over = await startModel(t, (response) => stream(response).end(piece + stop + done), { maxAnswerChars: 59 })
    await assert.rejects(over.ask(), { code: 'response_too_large' })
  }
})

test('one event without end is stopped before it fills the memory', async (t) => {
  let sent = 0
  const model = await startModel(
    t,
    (response) => {
      stream(response).write('data: ')
      const more = (): void => {
        while (!response.destroyed) {
          sent += 65_536
          if (!response.write('x'.repeat(65_536))) return void response.once('drain', more)
        }
      }
      more()
    },
    { maxAnswerChars: 10_000 },
  )
  await assert.rejects(model.ask(), { code: 'response_too_large' })
  assert.ok(sent < 16 * 1_024 * 1_024, `${sent} bytes were sent before the end`)
})
