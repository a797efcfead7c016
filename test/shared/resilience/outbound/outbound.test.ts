import { test, type TestContext } from 'node:test'
import assert from 'node:assert/strict'
import { createOutbound, type OutboundOptions } from '../../../../shared/resilience/outbound/outbound.ts'
import { isConnectionFailure } from '../../../../shared/resilience/outbound/outbound-error.ts'
import { SluiceError } from '../../../../shared/errors/index.ts'
import { createInstruments, formatTraceparent, newTrace, withTrace } from '../../../../shared/telemetry/index.ts'
import { systemClock } from '../../../../shared/time/index.ts'
import { atEnd, startChild, startLoopbackServer } from '../../../support/index.ts'

function subject(t: TestContext, options: Partial<OutboundOptions> = {}) {
  const instruments = createInstruments({ function: 'test' })
  const outbound = createOutbound(
    { dependency: 'tool thing', connectMs: 1_000, headersMs: 5_000, bodyIdleMs: 5_000, ...options },
    { clock: systemClock, instruments },
  )
  atEnd(t, () => outbound.stop())
  const outcomes = async () =>
    (await instruments.outboundSeconds.get()).values.filter(({ metricName }) => metricName?.endsWith('_count') === true)
  return { outbound, outcomes }
}
const { signal } = new AbortController()

test('the answer is streamed as it comes', async (t) => {
  const rest = Promise.withResolvers<void>()
  const server = await startLoopbackServer(t, (_request, response) => {
    response.write('one')
    void rest.promise.then(() => response.end('two'))
  })
  const { outbound } = subject(t)
  const answer = await outbound.request({ method: 'GET', url: server.url }, { signal })
  const chunks: string[] = []
  for await (const chunk of answer.body) {
    chunks.push(Buffer.from(chunk).toString())
    rest.resolve()
  }
  assert.deepEqual(chunks, ['one', 'two'])
})

test('every status is an answer, redirects included', async (t) => {
  const server = await startLoopbackServer(t, (request, response) =>
    response.writeHead(Number(request.url?.slice(1)), { location: '/200' }).end('x'),
  )
  const { outbound } = subject(t)
  for (const status of [200, 302, 404, 429, 500, 503]) {
    const answer = await outbound.request({ method: 'GET', url: `${server.url}/${status}` }, { signal })
    await answer.discard()
    assert.equal(answer.status, status)
  }
})

test('the current trace is handed on', async (t) => {
  const server = await startLoopbackServer(t, (_request, response) => response.end())
  const { outbound } = subject(t)
  const trace = newTrace()
  const answer = await withTrace(trace, () => outbound.request({ method: 'GET', url: server.url }, { signal }))
  await answer.discard()
  assert.equal(server.requests[0]?.headers['traceparent'], formatTraceparent(trace))
})

test('tracestate is handed on, and baggage only to services of our own', async (t) => {
  const server = await startLoopbackServer(t, (_request, response) => response.end())
  const trace = { ...newTrace(), state: 'a=b', baggage: 'c=d' }
  for (const baggage of [false, true]) {
    const { outbound } = subject(t, { baggage })
    const answer = await withTrace(trace, () => outbound.request({ method: 'GET', url: server.url }, { signal }))
    await answer.discard()
  }
  const sent = server.requests.map(({ headers }) => [headers['tracestate'], headers['baggage']])
  assert.deepEqual(sent, [
    ['a=b', undefined],
    ['a=b', 'c=d'],
  ])
})

test('a refused connection is a dependency failure without an address in its message', async (t) => {
  const server = await startLoopbackServer(t, () => {})
  const { outbound } = subject(t)
  const refused = outbound.request({ method: 'GET', url: 'http://127.0.0.1:1/' }, { signal })
  await assert.rejects(refused, (error: SluiceError) => {
    assert.equal(error.code, 'dependency_failed')
    assert.doesNotMatch(error.message, /127/)
    return isConnectionFailure(error)
  })
  assert.ok(server.port > 0)
})

test('a connection cut within the body fails the reading of it', async (t) => {
  const server = await startLoopbackServer(t, (_request, response) => {
    response.writeHead(200, { 'content-length': '100' }).write('half')
    setImmediate(() => response.destroy())
  })
  const { outbound, outcomes } = subject(t)
  const answer = await outbound.request({ method: 'GET', url: server.url }, { signal })
  await assert.rejects(answer.bytes(1_000), { code: 'dependency_failed' })
  assert.deepEqual(
    (await outcomes()).map(({ labels, value }) => [labels['outcome'], value]),
    [['failed', 1]],
  )
})

test('a head that does not come in time is a timeout', async (t) => {
  const server = await startLoopbackServer(t, () => {})
  const { outbound } = subject(t, { headersMs: 50 })
  await assert.rejects(outbound.request({ method: 'GET', url: server.url }, { signal }), { code: 'dependency_timeout' })
})

test('the signal of the caller ends a request and a body with its reason', async (t) => {
  const server = await startLoopbackServer(
    t,
    (request, response) => void (request.url === '/body' && response.write('x')),
  )
  const { outbound } = subject(t)
  for (const path of ['/head', '/body']) {
    const caller = new AbortController()
    const reading = outbound
      .request({ method: 'GET', url: `${server.url}${path}` }, { signal: caller.signal })
      .then((answer) => answer.bytes(10))
    setTimeout(() => caller.abort(new SluiceError('deadline_exceeded', 'late')), 50)
    await assert.rejects(reading, { code: 'deadline_exceeded' })
  }
})

test('a body over the limit of its reader is refused', async (t) => {
  const server = await startLoopbackServer(t, (_request, response) => response.end('12345'))
  const { outbound } = subject(t)
  const read = async (limit: number) =>
    (await outbound.request({ method: 'GET', url: server.url }, { signal })).bytes(limit)
  assert.equal((await read(5)).length, 5)
  await assert.rejects(read(4), { code: 'response_too_large' })
})

test('proxy variables do not divert a request', async (t) => {
  const server = await startLoopbackServer(t, (_request, response) => response.end('direct'))
  const proxy = await startLoopbackServer(t, (_request, response) => response.end('by proxy'))
  const module = new URL('../../../../shared/resilience/index.ts', import.meta.url).href
  const telemetry = new URL('../../../../shared/telemetry/index.ts', import.meta.url).href
  const time = new URL('../../../../shared/time/index.ts', import.meta.url).href
  const script = `
    import { createOutbound, createUntrustedOutbound } from '${module}'
    import { createInstruments } from '${telemetry}'
    import { systemClock as clock } from '${time}'
    const deps = { clock, instruments: createInstruments({ function: 'test' }) }
    const { signal } = new AbortController()
    const trusted = createOutbound({ dependency: 'a', connectMs: 1000, headersMs: 1000, bodyIdleMs: 1000 }, deps)
    const answer = await trusted.request({ method: 'GET', url: '${server.url}' }, { signal })
    process.stdout.write('trusted ' + (await answer.bytes(100)).toString() + '\\n')
    const untrusted = createUntrustedOutbound({ dependency: 'b', allow: ['127.0.0.1:${server.port}'] }, deps)
    const { body } = await untrusted.request({ url: '${server.url}' }, { signal })
    process.stdout.write('untrusted ' + body.toString() + '\\n')
    await trusted.stop()`
  const env = { NODE_USE_ENV_PROXY: '1', HTTP_PROXY: proxy.url, http_proxy: proxy.url, ALL_PROXY: proxy.url }
  const child = startChild(t, ['--input-type=module', '--eval', script], { env })
  await child.line(/^trusted direct$/)
  await child.line(/^untrusted direct$/)
  assert.deepEqual(proxy.requests, [])
})
