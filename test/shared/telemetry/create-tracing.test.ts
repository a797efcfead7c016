import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { trace } from '@opentelemetry/api'
import { loadConfig } from '../../../shared/config/index.ts'
import {
  createInstruments,
  createLogger,
  createRedact,
  createTracing,
  currentTrace,
  inSpan,
  newTrace,
  withTrace,
  type Tracing,
} from '../../../shared/telemetry/index.ts'
import { SluiceError } from '../../../shared/errors/index.ts'
import { systemClock as clock } from '../../../shared/time/index.ts'
import { atEnd, projectRoot, startChild, startLoopbackServer, startOtlpReceiver, until } from '../../support/index.ts'

const limit = { timeout: 60_000 }

interface Started {
  readonly tracing: Tracing
  readonly lines: readonly string[]
  readonly spans: () => Promise<Readonly<Record<string, number>>>
}

async function start(t: TestContext, environment: Readonly<Record<string, string>>): Promise<Started> {
  const lines: string[] = []
  const log = createLogger({ function: 'f', level: 'debug' }, { write: (line) => void lines.push(line) })
  const instruments = createInstruments({ function: 'f' })
  const redact = createRedact(['a secret of mine'])
  const deps = { clock, log, instruments, redact }
  const tracing = await createTracing({ function: 'f', config: loadConfig(environment) }, deps)
  atEnd(t, () => tracing.stop(1_000))
  const spans = async () => {
    const { values } = await instruments.spans.get()
    return Object.fromEntries(values.map(({ labels, value }) => [String(labels['outcome']), value]))
  }
  return { tracing, lines, spans }
}

test('without an endpoint nothing of the SDK is loaded', limit, async (t) => {
  const child = startChild(t, ['test/shared/telemetry/names-of-packages.ts'], { cwd: projectRoot })
  assert.equal(await child.line(/^packages/), 'packages without an endpoint: 0')
  assert.match(await child.line(/^with/), /^with an endpoint: [1-9]/)
})

test('spans come with parents, links, attributes, failures and the state of their trace', limit, async (t) => {
  const receiver = await startOtlpReceiver(t)
  const { tracing, spans } = await start(t, {
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    OTEL_EXPORTER_OTLP_HEADERS: 'x-api-key=a%20key,x-team=b',
  })
  const { tracer } = tracing
  const parent = { ...newTrace(), state: 'vendor=abc' }
  const link = newTrace()
  await withTrace(parent, () =>
    inSpan(
      tracer,
      () => ({
        name: 'outer',
        kind: 'client',
        links: [link],
        attributes: { text: 'a secret of mine', none: undefined },
      }),
      async () => {
        const failing = inSpan(
          tracer,
          () => ({ name: 'inner' }),
          async () => {
            throw new SluiceError('dependency_failed', 'password=hunter22 was refused')
          },
        )
        await assert.rejects(failing)
        assert.deepEqual([currentTrace()?.traceId, currentTrace()?.state], [parent.traceId, 'vendor=abc'])
      },
    ),
  )
  await tracing.flush(10_000)
  const [inner, outer] = receiver.spans
  assert.deepEqual(
    [outer?.name, outer?.parentSpanId, outer?.traceId, outer?.kind],
    ['outer', parent.spanId, parent.traceId, 3],
  )
  assert.deepEqual([inner?.name, inner?.parentSpanId], ['inner', outer?.spanId])
  assert.deepEqual(
    outer?.links.map(({ spanId }) => spanId),
    [link.spanId],
  )
  assert.deepEqual(outer?.attributes, { text: '[redacted]' })
  assert.equal(outer?.traceState, 'vendor=abc')
  assert.equal(inner?.attributes['error.type'], 'dependency_failed')
  assert.deepEqual(inner?.status, { code: 2, message: 'password=[redacted] was refused' })
  assert.equal(outer?.service, 'f')
  assert.equal(receiver.requests[0]?.headers['x-api-key'], 'a key')
  assert.equal(receiver.requests[0]?.url, '/v1/traces')
  assert.deepEqual(await spans(), { sent: 2 })
})

test("what others record with OpenTelemetry's API goes the same way", limit, async (t) => {
  const receiver = await startOtlpReceiver(t)
  const { tracing, spans } = await start(t, { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url })
  trace
    .getTracer('a library')
    .startSpan('theirs', { attributes: { n: 1 } })
    .end()
  tracing.tracer.start({ name: 'ours' }).end()
  await tracing.flush(10_000)
  const told = receiver.spans.map(({ name, service }) => `${name} of ${service}`)
  assert.deepEqual(told.toSorted(), ['ours of f', 'theirs of f'])
  assert.deepEqual(await spans(), { sent: 2 })
})

test(
  'a trace that begins here is recorded as often as the option says, one that came keeps its decision',
  limit,
  async (t) => {
    const receiver = await startOtlpReceiver(t)
    const { tracing } = await start(t, { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_TRACES_SAMPLER_ARG: '0' })
    const { tracer } = tracing
    const unsampled = tracer.start({ name: 'begins here' })
    assert.equal(unsampled.trace.sampled, false)
    const below = tracer.start({ name: 'below it', parent: unsampled.trace })
    const came = tracer.start({ name: 'came sampled', parent: newTrace() })
    assert.deepEqual([below.trace.sampled, came.trace.sampled], [false, true])
    assert.equal(below.trace.traceId, unsampled.trace.traceId, 'ids go on, for the logs')
    for (const span of [below, unsampled, came]) span.end()
    await tracing.flush(10_000)
    assert.deepEqual(
      receiver.spans.map(({ name }) => name),
      ['came sampled'],
    )
  },
)

test('a collector that is not there, or never answers, keeps nobody waiting and is told once', limit, async (t) => {
  const hanging = await startLoopbackServer(t, () => undefined)
  for (const endpoint of ['http://127.0.0.1:1', hanging.url]) {
    const { tracing, lines, spans } = await start(t, { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint })
    const begun = performance.now()
    for (let n = 0; n < 10_000; n += 1) tracing.tracer.start({ name: 'x' }).end()
    await tracing.flush(200)
    await tracing.stop(200)
    assert.ok(performance.now() - begun < 10_000)
    await until('it is known that they are lost', async () => ((await spans())['lost'] ?? 0) > 0)
    assert.equal(lines.filter((line) => line.includes('spans cannot be exported')).length, 1, lines.join(''))
    assert.equal(lines.join('').includes('127.0.0.1'), false)
  }
})

test('headers that are none end the start with the name of the option and without their value', limit, async (t) => {
  const wrong = start(t, { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1', OTEL_EXPORTER_OTLP_HEADERS: '=hunter22' })
  await assert.rejects(wrong, (error: SluiceError) => {
    assert.match(error.message, /^OTEL_EXPORTER_OTLP_HEADERS: expected name=value pairs/)
    return error.code === 'invalid_option' && !error.message.includes('hunter22')
  })
})
