// No secret leaks: canaries in every secret option, in headers, in events, in arguments of tools, and in what a
// model that is unfriendly says about its key; the whole platform as real processes, and whatever leaves them is searched.
//
// What is content stays content: the message of a person and the answer are in that person's stream, an event is in its
// topic and, when it cannot be handled, in its dead letter as it came. It is in no log, span, metric, error or command line.
// And tracestate is a part of traces: whoever puts a secret there has put it on the spans.

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { projectRoot, startChild, startLoopbackServer, startOtlpReceiver, until } from '../support/index.ts'
import { canaryForms, createCanaries, startPlatform, type Canaries, type TestPlatform } from './support/index.ts'

const limit = { timeout: 240_000 }

test('planted secrets are in no log, span, metric, error, dead letter, stream or command line', limit, async (t) => {
  const secrets = createCanaries()
  const content = createCanaries()
  const receiver = await startOtlpReceiver(t)
  const page = await startLoopbackServer(t, (_request, response) => response.end('forty-two'))
  const modelKey = secrets.plant('MODEL_API_KEY')
  const env = {
    MODEL_API_KEY: modelKey,
    MEMORY_SERVICE_TOKEN: secrets.plant('MEMORY_SERVICE_TOKEN'),
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    OTEL_EXPORTER_OTLP_HEADERS: `authorization=${secrets.plant('OTEL_EXPORTER_OTLP_HEADERS', 'url')}`,
    SLUICE_HTTP_FETCH_ALLOW: `127.0.0.1:${page.port}`,
    LOG_LEVEL: 'trace',
  }
  const url = `${page.url}/?token=${content.plant('argument of http_fetch', 'url')}`
  const withUser = `http://user:${content.plant('password of a URL for http_fetch', 'url')}@127.0.0.1:${page.port}/`
  const calls = [
    { name: 'http_fetch', arguments: { url } },
    { name: 'http_fetch', arguments: { url: withUser } },
    { name: 'calculate', arguments: { expression: `1 + x${content.plant('argument of calculate', 'base64')}` } },
    { name: 'calculate', arguments: { [content.plant('name of an argument')]: 1 } },
    { name: 'echo', arguments: content.plant('arguments that are no JSON') },
  ]
  const script = `
rules:
  - when: { message: tools, round: 0 }
    then: ${JSON.stringify({ tool_calls: calls })}
  - when: { message: tools, round: 1 }
    then: { text: fetched }
  - when: { message: refuse }
    then: ${JSON.stringify({ status: 401, body: refusal(modelKey) })}
  - when: { message: garbage }
    then: ${JSON.stringify({ status: 400, body: `<html>Bearer ${modelKey}</html>` })}
`
  const platform = await startPlatform(t, { script, env })
  secrets.adopt('DATABASE_URL', new URL(platform.databaseUrl.reveal()).password)

  const errors = [...(await badRequests(platform, { secrets, content })), ...(await badEvents(platform, content))]
  const turns = await Promise.all(['tools', 'refuse', 'garbage'].map((message) => platform.send(message)))
  for (const turn of turns)
    await turn.watch.event('the turn has ended', ({ type }) => /turn\.(completed|failed)/.test(type), 90_000)
  const streams = turns.map(({ watch }) => JSON.stringify([watch.events, watch.deltas])).join('\n')
  const [letters] = (await platform.database.query<{ count: number }>('SELECT count(*)::int FROM sluice.dead_letter'))
    .rows
  assert.ok((letters?.count ?? 0) >= 6, 'there are dead letters to look at')

  const searched = {
    logs: await logsOf(platform),
    spans: receiver.text(),
    metrics: await metricsOf(platform),
    errors: errors.join('\n'),
    // Without the event itself: its bytes, its attributes and its identity.
    'dead letters': await textOf(platform, deadLettersSql),
    'waiting events': await textOf(platform, 'SELECT cause, detail, trace FROM sluice.parked'),
    streams,
    'command lines': commandLines(),
  }
  for (const [where, text] of Object.entries(searched)) {
    assert.ok(text.length > 100 || where === 'waiting events', `there is something to search in ${where}`)
    assert.deepEqual(secrets.foundIn(text), [], `secrets in ${where}`)
    assert.deepEqual(content.foundIn(text), [], `content in ${where}`)
  }
  const records = receiver.requests.filter(({ headers }) => secrets.foundIn(String(headers.authorization)).length > 0)
  assert.ok(records.length > 0, 'the secrets were there to leak: the collector got its header')
  assert.ok(content.foundIn(await textOf(platform, 'SELECT raw FROM sluice.dead_letter')).length > 0)
})

const refusal = (key: string) => ({
  error: { message: `Incorrect API key provided: ${key}.`, type: 'invalid_request_error', code: 'invalid_api_key' },
})

interface Planted {
  readonly secrets: Canaries
  readonly content: Canaries
}

/** The bodies of what the gateway refuses. */
async function badRequests({ gatewayUrl }: TestPlatform, { secrets, content }: Planted): Promise<readonly string[]> {
  const headers = Object.fromEntries(
    ['authorization', 'cookie', 'proxy-authorization', 'x-api-key', 'user-agent', 'referer', 'x-forwarded-for'].map(
      (name, at) => [name, secrets.plant(`header ${name}`, canaryForms[at % canaryForms.length])],
    ),
  )
  const baggage = `a=${secrets.plant('baggage', 'url')}`
  const traceparent = `00-${'a1'.repeat(16)}-${'b2'.repeat(8)}-01`
  const json = { ...headers, baggage, traceparent, 'content-type': 'application/json' }
  const key = secrets.plant('value in a query', 'url')
  const asked: readonly [string, RequestInit][] = [
    [
      '/v1/session/message',
      { method: 'POST', headers: json, body: JSON.stringify({ message: 1, x: content.plant('body') }) },
    ],
    ['/v1/session/message', { method: 'POST', headers: json, body: `{"message": ${content.plant('broken body')}` }],
    ['/v1/session/message', { method: 'POST', headers: json, body: `{"${content.plant('name in a body')}": 1}` }],
    ['/v1/session/message', { method: 'POST', headers: { ...json, 'content-type': 'text/plain' }, body: 'x' }],
    ['/v1/session/message', { method: 'POST', headers: { ...json, 'idempotency-key': `ü${content.plant('key', 'base64')}` }, body: '{"message":"x"}' }], // prettier-ignore
    [`/v1/sessions/${content.plant('path', 'url')}/events?after=${key}`, { headers }],
    [`/v1/nowhere/${content.plant('path to nowhere', 'url')}?access_token=${key}`, { headers }],
    [`/v1/admin/dead-letters/${content.plant('id of a dead letter', 'url')}`, { headers }],
    [`/%zz${key}`, { headers }],
  ]
  const answers: string[] = []
  for (const [path, init] of asked) {
    const answer = await fetch(`${gatewayUrl}${path}`, init)
    assert.ok(answer.status >= 400, `${path} is refused`)
    answers.push(`${JSON.stringify([...answer.headers])} ${await answer.text()}`)
  }
  return answers
}

/** The answers to events that cannot be handled, as a KafkaSource would bring them: they become dead letters. */
async function badEvents({ urls }: TestPlatform, content: Canaries): Promise<readonly string[]> {
  const types: readonly [string, string][] = [
    ['conversation-worker', 'conversation.message.received.v1'],
    ['tool-executor', 'tool.call.requested.v1'],
    ['memory-replicator', 'memory.written.v1'],
  ]
  const answers: string[] = []
  for (const [name, type] of types) {
    for (const [at, form] of canaryForms.entries()) {
      const head = {
        'ce-specversion': '1.0',
        'ce-id': `${name}-${at}`,
        'ce-source': '/canaries',
        'ce-type': type,
        'ce-tenant': 'local',
        'ce-subject': content.plant(`subject for ${name}`, form),
        'ce-secretextension': content.plant(`extension for ${name}`, form),
        authorization: `Bearer ${content.plant(`authorization for ${name}`, form)}`,
        cookie: content.plant(`cookie for ${name}`, form),
        'x-api-key': content.plant(`x-api-key for ${name}`, form),
        'user-agent': content.plant(`user agent for ${name}`, form),
        'content-type': 'application/json',
      }
      const field = content.plant(`field for ${name}`, form)
      const bodies = [JSON.stringify({ session_id: field, arguments: { password: field } }), `{"broken": ${field}`]
      for (const [number, body] of bodies.entries()) {
        const headers = { ...head, 'ce-id': `${head['ce-id']}-${number}`, 'kn-namespace': 'test' }
        const kept = await fetch(urls.get(name) ?? '', { method: 'POST', headers, body })
        assert.equal(kept.status, 202, `${name} keeps what it cannot handle`)
        const told = await fetch(urls.get(name) ?? '', { method: 'POST', headers: head, body })
        answers.push(await kept.text(), await told.text())
      }
    }
  }
  return answers
}

const deadLettersSql = `
  SELECT function, cause, message, fingerprint, attempts, trace, function_version,
    (SELECT jsonb_object_agg(name, value) FROM jsonb_each(headers::jsonb) AS header (name, value) WHERE name NOT LIKE 'ce-%') AS headers
  FROM sluice.dead_letter`

async function textOf({ database }: TestPlatform, sql: string): Promise<string> {
  const { rows } = await database.query(sql)
  return JSON.stringify(rows, (_key, value: unknown) =>
    value !== null && typeof value === 'object' && 'type' in value && value.type === 'Buffer' && 'data' in value
      ? Buffer.from(value.data as number[]).toString()
      : value,
  )
}

const logsOf = async ({ logFolder }: TestPlatform): Promise<string> =>
  readdirSync(logFolder)
    .map((name) => readFileSync(join(logFolder, name), 'utf8'))
    .join('\n')

/** Metrics and health of every process. */
async function metricsOf({ operationsUrls }: TestPlatform): Promise<string> {
  assert.ok(operationsUrls.size >= 8)
  const pages = [...operationsUrls.values()].flatMap((url) =>
    ['metrics', 'health', 'ready'].map((path) => `${url}/${path}`),
  )
  return (await Promise.all(pages.map(async (page) => (await fetch(page)).text()))).join('\n')
}

function commandLines(): string {
  const processes = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  return processes
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
      } catch {
        return '' // it has ended
      }
    })
    .join('\n')
}

test('a process whose services refuse it says so without their passwords', limit, async (t: TestContext) => {
  const secrets = createCanaries()
  const refusing = await startLoopbackServer(t, (_request, response) => response.socket?.destroy())
  const at = (scheme: string, form: 'plain' | 'url' = 'url'): string =>
    `${scheme}://user:${secrets.plant(scheme, form)}@127.0.0.1:${refusing.port}/0`
  const env = {
    PORT: '0',
    SLUICE_OPERATIONS_PORT: '0',
    DATABASE_URL: at('postgres'),
    REDIS_URL: at('redis'),
    LOG_LEVEL: 'trace',
  }
  const child = startChild(t, ['functions/gateway/main.ts'], { cwd: projectRoot, env })
  await until('it has something to say', () => child.lines.length > 0, { limitMs: 60_000 })
  await until('it knows that its services are away', () => /redis|postgres|database/i.test(child.lines.join('\n')), {
    limitMs: 60_000,
  })
  child.kill('SIGTERM')
  await child.exited({ limitMs: 30_000 })
  assert.deepEqual(secrets.foundIn(child.lines.join('\n')), [])

  const wrong = { ...env, DATABASE_URL: secrets.plant('a URL that is none') }
  const refused = startChild(t, ['functions/gateway/main.ts'], { cwd: projectRoot, env: wrong })
  await refused.exited({ limitMs: 60_000 })
  assert.match(refused.lines.join('\n'), /DATABASE_URL/)
  assert.deepEqual(secrets.foundIn(refused.lines.join('\n')), [])
})
