import { test } from 'node:test'
import assert from 'node:assert/strict'
import { createModelClient } from '../../../shared/model/index.ts'
import { secret } from '../../../shared/config/index.ts'
import { SluiceError } from '../../../shared/errors/index.ts'
import { createInstruments, createLogger } from '../../../shared/telemetry/index.ts'
import { systemClock } from '../../../shared/time/index.ts'
import { until } from '../../support/index.ts'
import { calls, chunk, done, hello, sse, startModel, stop, stream, text, usage } from './misbehaving-model.ts'

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

test('a server that accepts and says nothing runs into the limit for the first token', async (t) => {
  const model = await startModel(t, () => {}, { timeouts: { firstTokenMs: 50 } })
  await assert.rejects(model.ask(), { code: 'model_timeout', details: { phase: 'first token' } })
})

test('greetings and keep-alive comments are no first token', async (t) => {
  const model = await startModel(
    t,
    (response) => {
      stream(response).write(hello)
      const ping = setInterval(() => response.write(': ping\n\n'), 10)
      response.once('close', () => clearInterval(ping))
    },
    { timeouts: { firstTokenMs: 100 } },
  )
  await assert.rejects(model.ask(), { code: 'model_timeout', details: { phase: 'first token' } })
})

test('reasoning that is not part of the answer keeps the call alive', async (t) => {
  const model = await startModel(
    t,
    (response) => {
      stream(response)
      let thoughts = 0
      const think = setInterval(() => {
        thoughts += 1
        response.write(chunk({ reasoning_content: 'hm' }))
        if (thoughts < 15) return
        clearInterval(think)
        response.end(text('42') + stop + done)
      }, 20)
    },
    { timeouts: { firstTokenMs: 200, idleMs: 200 } },
  )
  assert.equal((await model.ask()).text, '42')
})

test('a stream that falls silent runs into the limit between chunks', async (t) => {
  const model = await startModel(t, (response) => void stream(response).write(text('half')), {
    timeouts: { idleMs: 50 },
  })
  await assert.rejects(model.ask(), { code: 'model_timeout', details: { phase: 'next chunk' } })
})

test('a stream without end runs into the total limit', async (t) => {
  const model = await startModel(
    t,
    (response) => {
      stream(response)
      const more = setInterval(() => response.write(text('more ')), 10)
      response.once('close', () => clearInterval(more))
    },
    { timeouts: { totalMs: 150 } },
  )
  await assert.rejects(model.ask(), { code: 'model_timeout', details: { phase: 'total' } })
})

test('a finished answer does not wait for a server that leaves the stream open', async (t) => {
  const model = await startModel(t, (response) => void stream(response).write(text('whole') + stop), {
    timeouts: { idleMs: 60_000, totalMs: 60_000 },
  })
  const begun = performance.now()
  assert.equal((await model.ask()).text, 'whole')
  assert.ok(performance.now() - begun < 5_000)
})

test('the caller ends a call in any phase with its own reason, and the server sees the connection close', async (t) => {
  for (const sent of [undefined, hello, text('half')]) {
    const closed = Promise.withResolvers<void>()
    const caller = new AbortController()
    const model = await startModel(t, (response) => {
      response.once('close', closed.resolve)
      if (sent !== undefined) stream(response).write(sent)
      setTimeout(() => caller.abort(new SluiceError('lease_lost', 'gone')), 20)
    })
    await assert.rejects(model.ask({}, caller.signal), { code: 'lease_lost' })
    await closed.promise
  }
})

test('a call whose signal is aborted already asks nothing', async (t) => {
  const model = await startModel(t, (response) => response.end())
  await assert.rejects(model.ask({}, AbortSignal.abort(new SluiceError('aborted', 'gone'))), { code: 'aborted' })
  assert.deepEqual(model.bodies, [])
})

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

test('a connection that dies before any answer is tried once more', async (t) => {
  let requests = 0
  const model = await startModel(t, (response) => {
    requests += 1
    if (requests === 1) response.destroy()
    else stream(response).end(text('second') + stop + done)
  })
  assert.equal((await model.ask()).text, 'second')
  assert.equal(requests, 2)
  assert.match(model.lines.join(''), /trying once more/)
})

test('a model that is not there is unavailable after two tries, and soon after one', async (t) => {
  const model = await startModel(t, (response) => void response.destroy())
  await assert.rejects(model.ask(), { code: 'model_unavailable' })
  assert.equal(model.bodies.length, 2)
  for (let call = 0; call < 6; call += 1) await assert.rejects(model.ask())
  const before = model.bodies.length
  await assert.rejects(model.ask())
  assert.ok(model.bodies.length - before <= 1, 'the budget is used up')
})

test('an answer that began is not asked for again, whatever went wrong', async (t) => {
  for (const status of [429, 500, 503]) {
    const model = await startModel(t, (response) => response.writeHead(status).end())
    await assert.rejects(model.ask())
    assert.equal(model.bodies.length, 1)
  }
})

test('the breaker opens on failures of the model, names the pause, and closes on its first token', async (t) => {
  let healthy = false
  const model = await startModel(
    t,
    (response) => {
      if (healthy) stream(response).end(text('back') + stop + done)
      else response.writeHead(500).end()
    },
    { breakerResetMs: 50 },
  )
  for (let call = 0; call < 10; call += 1) await assert.rejects(model.ask(), { code: 'model_unavailable' })
  await assert.rejects(
    model.ask(),
    (error: SluiceError) => error.code === 'circuit_open' && error.retryAfterMs !== undefined,
  )
  assert.equal(model.bodies.length, 10)
  assert.equal(model.client.health().status, 'down')
  healthy = true
  const answer = await until('the breaker lets a call through', () => model.ask().catch(() => undefined))
  assert.equal(answer.text, 'back')
  assert.equal(model.client.health().status, 'up')
})

test('a long answer shows with its first token that the model is back', async (t) => {
  let healthy = false
  const rest = Promise.withResolvers<void>()
  const model = await startModel(
    t,
    (response) => {
      if (healthy) {
        stream(response).write(text('back'))
        void rest.promise.then(() => response.end(stop + done))
      } else {
        response.writeHead(500).end()
      }
    },
    { breakerResetMs: 50 },
  )
  for (let call = 0; call < 10; call += 1) await assert.rejects(model.ask())
  healthy = true
  await until('the breaker is half open', () => model.client.health().status === 'unknown')
  const first = model.ask()
  await until('the first token is there', () => model.deltas.length === 1)
  const second = model.ask()
  await until('the second call is let through before the first has ended', () => model.deltas.length === 2)
  rest.resolve()
  await Promise.all([first, second])
})

test('W-33a: refusals of bad requests and limits do not open the breaker', async (t) => {
  let status = 400
  const model = await startModel(t, (response) => response.writeHead(status).end('{}'))
  for (status of [400, 401, 429])
    for (let call = 0; call < 20; call += 1)
      await assert.rejects(model.ask(), (error: SluiceError) => error.code !== 'circuit_open')
  assert.equal(model.bodies.length, 60)
})

test('W-47: calls run side by side', async (t) => {
  const gate = Promise.withResolvers<void>()
  const model = await startModel(
    t,
    (response) => void gate.promise.then(() => stream(response).end(text('x') + stop + done)),
  )
  const asking = Array.from({ length: 50 }, () => model.ask())
  await until('all fifty are being answered', () => model.bodies.length === 50)
  gate.resolve()
  await Promise.all(asking)
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
