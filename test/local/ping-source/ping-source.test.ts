import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createPingSource, type TickRequest } from '../../../local/ping-source/index.ts'
import { createLogger } from '../../../shared/telemetry/index.ts'
import { createManualClock, type ManualClock } from '../../support/index.ts'

const logger = createLogger({ function: 'twin', level: 'silent' })
const source = {
  metadata: { name: 'outbox-sync', namespace: 'default' },
  spec: { schedule: '* * * * *', sink: { uri: 'http://sink/' } },
}
const startMs = Date.parse('2026-03-01T10:15:30.000Z')

function world(statuses: readonly number[]): {
  readonly clock: ManualClock
  readonly sent: { readonly atMs: number; readonly request: TickRequest }[]
  readonly twin: ReturnType<typeof createPingSource>
} {
  const clock = createManualClock(startMs)
  const sent: { readonly atMs: number; readonly request: TickRequest }[] = []
  const twin = createPingSource(source, {
    clock,
    logger,
    newId: () => `id-${sent.length}`,
    send: (request) => {
      sent.push({ atMs: clock.now() - startMs, request })
      return Promise.resolve(statuses[sent.length - 1] ?? 200)
    },
  })
  return { clock, sent, twin }
}

test('a tick is a binary CloudEvent of type dev.knative.sources.ping, on the minute', async () => {
  const { clock, sent, twin } = world([])
  await twin.start(AbortSignal.timeout(1_000))
  await clock.advance(100_000)
  await twin.stop()
  assert.deepEqual(
    sent.map(({ atMs }) => atMs),
    [30_000, 90_000],
  )
  assert.deepEqual(sent[0]?.request, {
    url: 'http://sink/',
    headers: [
      ['ce-specversion', '1.0'],
      ['ce-id', 'id-0'],
      ['ce-source', '/apis/v1/namespaces/default/pingsources/outbox-sync'],
      ['ce-type', 'dev.knative.sources.ping'],
      ['ce-time', '2026-03-01T10:16:00.000Z'],
      ['content-type', 'application/json'],
    ],
    body: '{}',
  })
})

test('a failed tick is tried again with doubling delays under the same id, and given up after five retries', async () => {
  const { clock, sent, twin } = world([503, 503, 503, 503, 503, 503, 200])
  await twin.start(AbortSignal.timeout(1_000))
  await clock.advance(100_000)
  await twin.stop()
  assert.deepEqual(
    sent.map(({ atMs }) => atMs),
    [30_000, 30_050, 30_150, 30_350, 30_750, 31_550, 90_000],
  )
  assert.deepEqual(new Set(sent.slice(0, 6).map(({ request }) => request.headers[1]?.[1])).size, 1)
})

test('nothing is sent after a stop, not even a retry', async () => {
  const { clock, sent, twin } = world([503])
  await twin.start(AbortSignal.timeout(1_000))
  await clock.advance(30_000)
  await twin.stop()
  await clock.advance(600_000)
  assert.equal(sent.length, 1)
})
