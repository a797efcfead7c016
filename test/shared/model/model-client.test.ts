// What is asked of a model and what a whole answer is read as.

import { test } from 'node:test'
import assert from 'node:assert/strict'
import { createModelClient } from '../../../shared/model/index.ts'
import { secret } from '../../../shared/config/index.ts'
import type { SluiceError } from '../../../shared/errors/index.ts'
import { createInstruments, createLogger } from '../../../shared/telemetry/index.ts'
import { systemClock } from '../../../shared/time/index.ts'
import { until } from '../../support/index.ts'
import { calls, done, hello, startModel, stop, stream, text, usage } from './misbehaving-model.ts'

test('an answer is told piece by piece and comes back whole, with its usage', async (t) => {
  const model = await startModel(t, (response) =>
    stream(response).end(hello + text('Good ') + text('morning') + stop + usage + done),
  )
  const answer = await model.ask()
  assert.deepEqual(answer, {
    text: 'Good morning',
    toolCalls: [],
    finish: 'stop',
    usage: { inputTokens: 12, outputTokens: 5, estimated: false },
    model: 'm-1',
  })
  assert.deepEqual(model.deltas, [
    { index: 0, text: 'Good ' },
    { index: 1, text: 'morning' },
  ])
  const tokens = (await model.instruments.modelTokens.get()).values.map(({ labels, value }) => [
    labels.direction,
    value,
  ])
  assert.deepEqual(tokens, [
    ['input', 12],
    ['output', 5],
  ])
})

test('W-30: text is told while it comes, with tool calls in the same answer or without', async (t) => {
  const rest = Promise.withResolvers<void>()
  const model = await startModel(t, (response) => {
    stream(response).write(hello + text('Let me see. '))
    void rest.promise.then(() =>
      response.end(calls({ index: 0, id: 'a', function: { name: 'echo', arguments: '{}' } }) + stop + done),
    )
  })
  const asking = model.ask()
  await until('the first piece was told', () => model.deltas.length === 1)
  rest.resolve()
  const answer = await asking
  assert.deepEqual([answer.text, answer.finish, answer.toolCalls.length], ['Let me see. ', 'tool_calls', 1])
})

test('the request is written in the protocol, with the key, the request id and usage asked for', async (t) => {
  const model = await startModel(t, (response) => stream(response).end(text('x') + stop + done), {
    apiKey: secret('key-1'),
  })
  await model.ask({
    messages: [
      { role: 'system', content: 'You are Ada.' },
      { role: 'user', content: 'add' },
      {
        role: 'assistant',
        content: null,
        toolCalls: [{ id: 'c1', name: 'calculate', arguments: '{"expression":"1+1"}' }],
      },
      { role: 'tool', toolCallId: 'c1', content: '2' },
      { role: 'assistant', content: null },
    ],
    tools: [{ name: 'calculate', description: 'Calculates', parameters: { type: 'object' } }],
    temperature: 0.2,
    maxTokens: 50,
    requestId: 's1/t1',
  })
  const [request] = model.server.requests
  assert.deepEqual([request?.method, request?.url], ['POST', '/v1/chat/completions'])
  assert.deepEqual([request?.headers.authorization, request?.headers['x-client-request-id']], ['Bearer key-1', 's1/t1'])
  assert.deepEqual(JSON.parse(model.bodies[0] ?? ''), {
    model: 'm',
    stream: true,
    stream_options: { include_usage: true },
    temperature: 0.2,
    max_tokens: 50,
    messages: [
      { role: 'system', content: 'You are Ada.' },
      { role: 'user', content: 'add' },
      {
        role: 'assistant',
        content: null,
        tool_calls: [
          { id: 'c1', type: 'function', function: { name: 'calculate', arguments: '{"expression":"1+1"}' } },
        ],
      },
      { role: 'tool', tool_call_id: 'c1', content: '2' },
      { role: 'assistant', content: '' },
    ],
    tools: [
      { type: 'function', function: { name: 'calculate', description: 'Calculates', parameters: { type: 'object' } } },
    ],
  })
})

test('an answer in JSON from a server that does not stream is accepted', async (t) => {
  const model = await startModel(t, (response) => {
    const message = {
      role: 'assistant',
      content: 'All at once',
      tool_calls: [{ id: 'a', function: { name: 'echo', arguments: '{}' } }],
    }
    const body = {
      model: 'm-2',
      choices: [{ message, finish_reason: 'tool_calls' }],
      usage: { prompt_tokens: 1, completion_tokens: 2 },
    }
    response.setHeader('content-type', 'application/json; charset=utf-8').end(JSON.stringify(body))
  })
  const answer = await model.ask()
  assert.deepEqual(
    [answer.text, answer.finish, answer.toolCalls, answer.usage.outputTokens],
    ['All at once', 'tool_calls', [{ id: 'a', name: 'echo', arguments: '{}' }], 2],
  )
  assert.deepEqual(model.deltas, [{ index: 0, text: 'All at once' }])
})

test('a stream in CR LF, with comments, event names and split at every byte reads the same', async (t) => {
  const whole =
    `: ping\r\n\r\nevent: message\r\n${hello}${text('héllo – ')}${text('✓')}${stop}${usage}${done}`.replaceAll(
      '\n\n',
      '\r\n\r\n',
    )
  const model = await startModel(t, (response) => {
    stream(response)
    for (const byte of Buffer.from(whole)) response.write(Buffer.of(byte))
    response.end()
  })
  assert.equal((await model.ask()).text, 'héllo – ✓')
})

test('usage that the server leaves out is estimated and says so', async (t) => {
  const model = await startModel(t, (response) => stream(response).end(text('12345678') + stop + done))
  const { usage: spent } = await model.ask()
  assert.equal(spent.estimated, true)
  assert.equal(spent.outputTokens, 2)
  assert.ok(spent.inputTokens > 0)
})

test('a stream that ends after its finish reason, without [DONE], is whole', async (t) => {
  const model = await startModel(t, (response) => stream(response).end(text('whole') + stop))
  assert.equal((await model.ask()).text, 'whole')
})

test('a connection that breaks after the finish reason costs nothing', async (t) => {
  const model = await startModel(t, (response) => {
    stream(response).write(text('whole') + stop)
    setImmediate(() => response.destroy())
  })
  assert.equal((await model.ask()).text, 'whole')
})

test('[DONE] without a finish reason ends an answer that has begun', async (t) => {
  const model = await startModel(t, (response) => stream(response).end(text('whole') + done))
  assert.deepEqual((await model.ask()).finish, 'stop')
})

test('the key is in no error, no log line and no metric', async (t) => {
  const model = await startModel(
    t,
    (response, request) =>
      response.writeHead(401, { 'content-type': 'application/json' }).end(
        JSON.stringify({
          error: { message: `Incorrect API key: ${request.headers.authorization ?? ''}`, code: 'invalid_api_key' },
        }),
      ),
    { apiKey: secret('key-planted') },
  )
  await assert.rejects(model.ask(), (error: SluiceError) => {
    assert.equal(error.code, 'model_auth')
    return !JSON.stringify([error.message, error.details, error.stack, String(error.cause)]).includes('key-planted')
  })
  assert.doesNotMatch(model.lines.join('') + (await model.instruments.registry.metrics()), /key-planted/)
})

test('an address that is no URL is refused when the client is made', () => {
  const deps = {
    clock: systemClock,
    log: createLogger({ function: 'test', level: 'silent' }),
    instruments: createInstruments({ function: 'test' }),
    random: Math.random,
  }
  const timeouts = { connectMs: 1, firstTokenMs: 1, idleMs: 1, totalMs: 1 }
  assert.throws(() => createModelClient({ baseUrl: '', timeouts }, deps), { code: 'invalid_option' })
})
