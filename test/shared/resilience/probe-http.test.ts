import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createOutbound, probeHttp } from '../../../shared/resilience/index.ts'
import { createInstruments } from '../../../shared/telemetry/index.ts'
import { systemClock as clock } from '../../../shared/time/index.ts'
import { atEnd, startLoopbackServer } from '../../support/index.ts'

test('any answer is a sign of life but 5xx and refused credentials', { timeout: 10_000 }, async (t) => {
  const server = await startLoopbackServer(t, ({ url = '' }, response) => {
    response.writeHead(Number(url.slice(1))).end('body')
  })
  const outbound = createOutbound(
    { dependency: 'model', connectMs: 1_000, headersMs: 1_000, bodyIdleMs: 1_000 },
    { clock, instruments: createInstruments({ function: 'test' }) },
  )
  atEnd(t, () => outbound.stop())
  const signal = AbortSignal.timeout(5_000)
  const probe = (status: number) =>
    probeHttp(
      { dependency: 'model', url: `${server.url}/${status}`, headers: { authorization: 'x' } },
      { outbound, signal },
    )
  for (const status of [200, 204, 404, 405, 429]) await probe(status)
  for (const status of [500, 502, 503]) await assert.rejects(probe(status), { code: 'dependency_failed' })
  for (const status of [401, 403]) await assert.rejects(probe(status), { code: 'forbidden' })
  assert.equal(server.requests[0]?.headers['authorization'], 'x')
  await assert.rejects(probeHttp({ dependency: 'model', url: 'http://127.0.0.1:1/' }, { outbound, signal }), {
    code: 'dependency_failed',
  })
})
