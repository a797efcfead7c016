import assert from 'node:assert/strict'
import { networkInterfaces } from 'node:os'
import { test, type TestContext } from 'node:test'
import { createHealth, healthDefaults } from '../../../../shared/function/operations/health.ts'
import { createOperationsServer } from '../../../../shared/function/operations/operations-server.ts'
import { createInstruments, createLogger, createLogLevel } from '../../../../shared/telemetry/index.ts'
import { systemClock } from '../../../../shared/time/index.ts'
import { atEnd } from '../../../support/index.ts'
import { exchange } from '../raw-http.ts'

const limit = { timeout: 20_000 }

async function start(t: TestContext, check: () => Promise<void> = async () => undefined, host = '127.0.0.1') {
  const { registry, readinessLastSuccess: lastSuccess } = createInstruments({ function: 'gateway' })
  const health = createHealth(healthDefaults, {
    clock: systemClock,
    lastSuccess,
    probes: [{ name: 'postgres', needed: true, check }],
    components: [],
    blocked: () => false,
  })
  const log = createLogger({ function: 'gateway', level: 'info' }, { write: () => undefined })
  const server = createOperationsServer(
    { host, port: 0 },
    { health, registry, clock: systemClock, logLevel: createLogLevel({ log, clock: systemClock }) },
  )
  await server.start(new AbortController().signal)
  atEnd(t, () => server.stop())
  atEnd(t, () => health.stop())
  const ask = (path: string, method = 'GET') => fetch(`http://127.0.0.1:${server.port()}${path}`, { method })
  return { health, server, ask }
}

const json = { 'content-type': 'application/json' }
const putLevel = (url: string, body: string, headers: Readonly<Record<string, string>> = json) =>
  fetch(`${url}/log-level`, { method: 'PUT', headers, body })

test('the log level is shown and changed for a while, by who says what it shall be', limit, async (t) => {
  const { server, ask } = await start(t)
  const url = `http://127.0.0.1:${server.port()}`
  assert.deepEqual(await (await ask('/log-level')).json(), { level: 'info', configured: 'info' })
  const changed = await putLevel(url, '{"level":"debug","seconds":60}')
  assert.deepEqual(
    [changed.status, await changed.json()],
    [200, { level: 'debug', configured: 'info', seconds_left: 60 }],
  )
  const bad = [
    '{"level":"silent"}',
    '{"level":"debug","seconds":0}',
    '{"level":"debug","seconds":86401}',
    '[]',
    'x',
    '',
  ]
  for (const body of [...bad, `{"level":"debug","x":"${'x'.repeat(1_024)}"}`])
    assert.equal((await putLevel(url, body)).status, 422, body.slice(0, 60))
  assert.equal((await putLevel(url, '{"level":"warn"}', { 'content-type': 'text/plain' })).status, 415)
  assert.equal((await ask('/log-level', 'POST')).status, 405)
  const now = (await (await ask('/log-level')).json()) as { level: string }
  assert.equal(now.level, 'debug', 'what was refused changed nothing')
})

test('the log level is not changed from another machine', limit, async (t) => {
  const address = Object.values(networkInterfaces())
    .flat()
    .find((one) => one?.internal === false && one.family === 'IPv4')?.address
  if (address === undefined) return t.skip('this machine has no address but loopback')
  const { server } = await start(t, undefined, '0.0.0.0')
  const answer = await putLevel(`http://${address}:${server.port()}`, '{"level":"error"}')
  assert.equal(answer.status, 403)
})

test('the log level is not changed by a page whose name was made to resolve to this machine', limit, async (t) => {
  const { server, ask } = await start(t)
  const body = '{"level":"error"}'
  const head = [
    'PUT /log-level HTTP/1.1',
    `host: evil.example:${server.port()}`,
    `origin: http://evil.example:${server.port()}`,
    'content-type: application/json',
    `content-length: ${body.length}`,
  ]
  const answer = await exchange(server.port(), `${head.join('\r\n')}\r\n\r\n${body}`)
  assert.equal(answer.status, 403)
  assert.deepEqual(await (await ask('/log-level')).json(), { level: 'info', configured: 'info' })
})

test('health and metrics are answered, everything else is 404, other methods 405', async (t) => {
  const { health, ask } = await start(t)
  await health.start(new AbortController().signal)
  health.setPhase('serving')
  const answers = await Promise.all(
    ['/live', '/ready', '/health', '/metrics', '/', '/ready/x'].map((path) => ask(path)),
  )
  assert.deepEqual(
    answers.map(({ status }) => status),
    [200, 200, 200, 200, 404, 404],
  )
  assert.match(answers[3]?.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/)
  assert.match((await answers[3]?.text()) ?? '', /readiness_last_success_timestamp\{function="gateway"\} \d+/)
  const posted = await ask('/ready', 'POST')
  assert.deepEqual([posted.status, posted.headers.get('allow')], [405, 'GET, HEAD'])
  const head = await ask('/ready', 'HEAD')
  assert.deepEqual([head.status, await head.text()], [200, ''])
})

test('/ready answers at once while a dependency hangs, also when it is asked often', limit, async (t) => {
  const { health, ask } = await start(t, () => new Promise(() => undefined))
  void health.start(new AbortController().signal)
  health.setPhase('serving')
  const durations: number[] = []
  for (let n = 0; n < 200; n += 1) {
    const begun = performance.now()
    assert.equal((await ask('/ready')).status, 503)
    durations.push(performance.now() - begun)
  }
  durations.sort((a, b) => a - b)
  const [fastest = Infinity] = durations
  t.diagnostic(`fastest ${fastest.toFixed(1)} ms, slowest ${durations.at(-1)?.toFixed(1)} ms of ${durations.length}`)
  // The fastest, since the slowest is the machine's: an answer that waited for the dependency would take its 2 s each time.
  assert.ok(fastest < 200)
})

test('nextScrape resolves with the next scrape, and at once when nobody scraped before', limit, async (t) => {
  const { server, ask } = await start(t)
  await server.nextScrape(60_000)
  await ask('/metrics')
  const seen: string[] = []
  const waiting = server.nextScrape(60_000).then(() => seen.push('waited'))
  await ask('/ready')
  assert.deepEqual(seen, [])
  await ask('/metrics')
  await waiting
})

test('nextScrape gives up after its limit', limit, async (t) => {
  const { server, ask } = await start(t)
  await ask('/metrics')
  await server.nextScrape(20)
})

test('stop closes the port and is safe twice', async (t) => {
  const { server, ask } = await start(t)
  await ask('/live')
  await Promise.all([server.stop(), server.stop()])
  await assert.rejects(ask('/live'))
  assert.equal(server.health().status, 'down')
})
