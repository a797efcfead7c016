import { test, type TestContext } from 'node:test'
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseScript, startRehearsalModel } from '../../../local/rehearsal-model/index.ts'
import { createModelClient, type ModelMessage } from '../../../shared/model/index.ts'
import type { ModelTimeouts } from '../../../shared/model/model-attempt.ts'
import { createInstruments, createLogger } from '../../../shared/telemetry/index.ts'
import { systemClock } from '../../../shared/time/index.ts'
import { atEnd, startChild, temporaryFolder, until } from '../../support/index.ts'

// The platform's own client is the judge: what it understands is the protocol.

const properties = { calculate: 'expression', timestamp: 'timezone', echo: 'text', http_fetch: 'url' }
const tools = Object.entries(properties).map(([name, argument]) => ({
  name,
  description: name,
  parameters: { type: 'object', properties: { [argument]: { type: 'string' } } },
}))

interface Setting {
  readonly delayMs?: number
  readonly timeouts?: Partial<ModelTimeouts>
}

async function subject(t: TestContext, script = '', { delayMs = 0, timeouts = {} }: Setting = {}) {
  const model = await startRehearsalModel({ port: 0, delayMs, script: parseScript(script) })
  atEnd(t, () => model.stop())
  const client = createModelClient(
    {
      baseUrl: model.url,
      timeouts: { connectMs: 2_000, firstTokenMs: 5_000, idleMs: 5_000, totalMs: 10_000, ...timeouts },
    },
    {
      clock: systemClock,
      log: createLogger({ function: 'test', level: 'silent' }),
      instruments: createInstruments({ function: 'test' }),
      random: Math.random,
    },
  )
  atEnd(t, () => client.stop())
  const deltas: string[] = []
  const ask = (
    content: string | readonly ModelMessage[],
    requestId = 's1/t1',
    signal = new AbortController().signal,
  ) => {
    const messages = typeof content === 'string' ? [{ role: 'user', content } as const] : content
    return client.complete(
      { model: 'rehearsal', messages, tools, requestId },
      { signal, onDelta: ({ text }) => deltas.push(text) },
    )
  }
  return { model, ask, deltas }
}

test('a whole turn: two tools at once, then the answer from their results', async (t) => {
  const { ask, deltas } = await subject(t)
  const question = { role: 'user', content: 'What is 17*23, and what time is it in Lima?' } as const
  const { toolCalls, finish } = await ask([question])
  assert.equal(finish, 'tool_calls')
  assert.deepEqual(
    toolCalls.map(({ name, arguments: text }) => [name, JSON.parse(text)]),
    [
      ['calculate', { expression: '17*23' }],
      ['timestamp', { timezone: 'America/Lima' }],
    ],
  )
  const contents = ['391', '{"time_zone":"America/Lima","local":"2025-11-25T14:05:09-05:00"}']
  const results = toolCalls.map(({ id }, index): ModelMessage => ({
    role: 'tool',
    toolCallId: id,
    content: contents[index] ?? '',
  }))
  const answer = await ask([question, { role: 'assistant', content: null, toolCalls }, ...results])
  assert.equal(answer.text, '17*23 is 391. In Lima it is 14:05 on Tuesday, 25 November 2025.')
  assert.deepEqual([answer.finish, answer.model, answer.usage.estimated], ['stop', 'rehearsal', false])
  assert.ok(answer.usage.inputTokens > 10 && answer.usage.outputTokens > 5)
  assert.equal(deltas.join(''), answer.text)
  assert.ok(deltas.length > 5, 'word by word')
})

test('the same request gets the same ids, another turn gets others', async (t) => {
  const { ask } = await subject(t)
  const id = async (requestId: string) => (await ask('What is 1+1?', requestId)).toolCalls[0]?.id
  assert.equal(await id('s1/t1'), await id('s1/t1'))
  assert.notEqual(await id('s1/t1'), await id('s1/t2'))
  assert.notEqual(await id('s1/t1'), await id('s2/t1'))
})

test('a client that does not stream gets the answer whole', async (t) => {
  const { model } = await subject(t)
  const body = { model: 'x', messages: [{ role: 'user', content: 'hello' }] }
  const response = await fetch(`${model.url}/chat/completions`, { method: 'POST', body: JSON.stringify(body) })
  const answer = (await response.json()) as {
    choices: { message: { content: string }; finish_reason: string }[]
    usage: { total_tokens: number }
  }
  assert.match(answer.choices[0]?.message.content ?? '', /^Hello!/)
  assert.equal(answer.choices[0]?.finish_reason, 'stop')
  assert.ok(answer.usage.total_tokens > 0)
})

test('a stream without include_usage has no usage', async (t) => {
  const { model } = await subject(t)
  const body = { model: 'x', stream: true, messages: [{ role: 'user', content: 'hello' }] }
  const response = await fetch(`${model.url}/chat/completions`, { method: 'POST', body: JSON.stringify(body) })
  const text = await response.text()
  assert.doesNotMatch(text, /usage/)
  assert.match(text, /data: \[DONE\]\n\n$/)
})

const misdeeds: readonly (readonly [then: string, code: string])[] = [
  ['{ status: 500 }', 'model_unavailable'],
  ['{ status: 503 }', 'model_overloaded'],
  ['{ status: 401 }', 'model_auth'],
  ['{ status: 400, body: { error: { code: context_length_exceeded } } }', 'model_context_too_long'],
  ['{ hang: true }', 'model_timeout'],
  ['{ hang_after: 2 }', 'model_timeout'],
  ['{ delay_ms: 60000 }', 'model_timeout'],
  ['{ cut_after: 0 }', 'model_cut'],
  ['{ cut_after: 2 }', 'model_cut'],
  ['{ cut_after: 1000 }', 'model_cut'],
  ['{ garbage: html }', 'model_malformed'],
  ['{ garbage: json }', 'model_malformed'],
  ['{ garbage: bytes }', 'model_malformed'],
  ['{ garbage: chunk }', 'model_malformed'],
]

for (const [then, code] of misdeeds) {
  test(`${then} is ${code} to a client, once, and the next try is well`, async (t) => {
    const { model, ask } = await subject(t, `rules: [{ then: ${then}, times: 1 }]`, {
      timeouts: { firstTokenMs: 150, idleMs: 150 },
    })
    await assert.rejects(ask('hello'), { code })
    assert.match((await ask('hello')).text, /^Hello!/)
    await until('the first request has ended', () => model.requests()[0]?.outcome !== 'running')
    assert.deepEqual(
      model.requests().map(({ rule }) => rule),
      ['1', ''],
    )
  })
}

test('429 brings its Retry-After', async (t) => {
  const { ask } = await subject(t, 'rules: [{ then: { status: 429, headers: { retry-after: "2" } } }]')
  await assert.rejects(ask('hello'), { code: 'model_rate_limited', retryAfterMs: 2_000 })
})

test('a stream cut after two pieces has told two', async (t) => {
  const { ask, deltas } = await subject(t, 'rules: [{ then: { cut_after: 2, text: "one two three" } }]')
  await assert.rejects(ask('x'), { code: 'model_cut' })
  assert.deepEqual(deltas, ['one ', 'two '])
})

test('scripted tool calls are sent as written, also when their arguments are no JSON', async (t) => {
  const { ask } = await subject(
    t,
    `rules: [{ when: { round: 0 }, then: { tool_calls: [{ name: nonsense, id: x1, arguments: "{broken" }, { name: echo, arguments: { text: hi } }] } }]`,
  )
  const { toolCalls } = await ask('x')
  assert.deepEqual(
    toolCalls.map(({ name, arguments: text }) => [name, text]),
    [
      ['nonsense', '{broken'],
      ['echo', '{"text":"hi"}'],
    ],
  )
  assert.equal(toolCalls[0]?.id, 'x1')
})

test('a history in which a tool call has no answer is refused, as real models do', async (t) => {
  const { ask } = await subject(t)
  const toolCalls = [{ id: 'a', name: 'echo', arguments: '{}' }]
  await assert.rejects(
    ask([
      { role: 'user', content: 'x' },
      { role: 'assistant', content: null, toolCalls },
      { role: 'user', content: 'y' },
    ]),
    { code: 'model_bad_request' },
  )
})

test('a conversation over its context is refused', async (t) => {
  const { ask } = await subject(t)
  await assert.rejects(ask('word '.repeat(120_000)), { code: 'model_context_too_long' })
})

test('words come at the pace asked for', async (t) => {
  const { ask } = await subject(t, 'rules: [{ then: { text: "one two three four five" } }]', { delayMs: 20 })
  const begun = performance.now()
  await ask('x')
  assert.ok(performance.now() - begun >= 90)
})

test('the ledger knows each request and how it ended', async (t) => {
  const { model, ask } = await subject(t, 'rules: [{ name: slow, when: { message: slow }, then: { delay_ms: 60000 } }]')
  await ask('hello', 's1/t1')
  await ask('What is 1+1?', 's1/t2')
  const caller = new AbortController()
  const slow = assert.rejects(ask('slow', 's2/t1', caller.signal))
  await until('the slow one is being answered', () => model.requests().length === 3)
  assert.equal(model.requests()[2]?.outcome, 'running')
  caller.abort()
  await slow
  await until('it was abandoned', () => model.requests()[2]?.outcome === 'abandoned')
  const origin = model.url.replace('/v1', '')
  const asked = async (query: string) =>
    (await (await fetch(`${origin}/rehearsal/requests${query}`)).json()) as {
      count: number
      requests: { message: string; rule: string; outcome: string; tools: string[] }[]
    }
  assert.equal((await asked('')).count, 3)
  assert.deepEqual(
    (await asked('?session=s1&turn=t2')).requests.map(({ message, outcome, tools: offered }) => [
      message,
      outcome,
      offered.length,
    ]),
    [['What is 1+1?', 'answered', 4]],
  )
  assert.deepEqual(
    (await asked('?message=low')).requests.map(({ rule }) => rule),
    ['slow'],
  )
  await fetch(`${origin}/rehearsal/requests`, { method: 'DELETE' })
  assert.equal((await asked('')).count, 0)
})

test('a script can be replaced while it runs, and a bad one is refused', async (t) => {
  const { model, ask } = await subject(t)
  const url = `${model.url.replace('/v1', '')}/rehearsal/script`
  assert.equal((await fetch(url, { method: 'PUT', body: 'rules: [{ then: { text: scripted } }]' })).status, 204)
  assert.equal((await ask('hello')).text, 'scripted')
  assert.equal((await fetch(url, { method: 'PUT', body: 'rules: [{}]' })).status, 400)
  assert.equal((await ask('hello')).text, 'scripted')
})

test('what is not the protocol gets a coded answer', async (t) => {
  const { model } = await subject(t)
  const post = async (body: string) => (await fetch(`${model.url}/chat/completions`, { method: 'POST', body })).status
  for (const body of [
    '',
    'x',
    '[]',
    '{}',
    '{"model":"m"}',
    '{"model":"m","messages":[]}',
    '{"model":"m","messages":[{"role":"king"}]}',
  ])
    assert.equal(await post(body), 400, body)
  assert.equal(await post(`"${'x'.repeat(9_000_000)}"`), 413)
  assert.equal((await fetch(`${model.url}/nothing`)).status, 404)
  const models = (await (await fetch(`${model.url}/models`)).json()) as { data: { id: string }[] }
  assert.deepEqual(
    models.data.map(({ id }) => id),
    ['rehearsal'],
  )
})

test('a taken port is named', async (t) => {
  const { model } = await subject(t)
  await assert.rejects(startRehearsalModel({ port: model.port }), { code: 'port_taken' })
})

test('stop ends answers that still run, and may be called twice', { timeout: 5_000 }, async (t) => {
  const { model, ask } = await subject(t, 'rules: [{ then: { hang: true } }]')
  const asking = assert.rejects(ask('x'))
  await until('it is being answered', () => model.requests().length === 1)
  await Promise.all([model.stop(), model.stop()])
  await asking
})

test('as a process it says where it listens, plays its script and ends on SIGTERM', async (t) => {
  const script = join(temporaryFolder(t), 'script.yaml')
  await writeFile(script, 'rules: [{ then: { text: from the file } }]')
  const main = new URL('../../../local/rehearsal-model/main.ts', import.meta.url).pathname
  const child = startChild(t, [main, '--port', '0', '--delay-ms', '0', '--script', script])
  const { port, url } = JSON.parse(await child.line(/"ready"/)) as { port: number; url: string }
  assert.equal((await fetch(`http://127.0.0.1:${port}/ready`)).status, 200)
  const body = JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'x' }] })
  assert.match(await (await fetch(`${url}/chat/completions`, { method: 'POST', body })).text(), /from the file/)
  child.kill('SIGTERM')
  await child.exited({ limitMs: 5_000 })
})
