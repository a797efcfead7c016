// What a function under Google's Functions Framework shares with one on our own server; test/functions/index.test.ts has the
// rest, with the functions themselves.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import { getTestServer } from '@google-cloud/functions-framework/testing'
import { defineFunction, registerFunction } from '../../../shared/function/index.ts'
import { atEnd, startOtlpReceiver, until } from '../../support/index.ts'
import { consumesMessages, message, messageHeaders } from './receiver/start-event-server.ts'

const echo = defineFunction({
  name: 'framework-echo',
  purpose: 'Tests the Functions Framework',
  consumes: consumesMessages,
  produces: [],
  execution: 'stateless',
  ordering: 'none',
  delivery: { attempts: 1, backoff: { firstMs: 1, maxMs: 1 }, timeoutMs: 1_000 },
  needs: [],
  scale: { min: 0, max: 1, concurrency: 1 },
})

async function serve(t: TestContext): Promise<string> {
  const server = getTestServer(echo.name).listen(0, '127.0.0.1')
  await once(server, 'listening')
  atEnd(t, () => new Promise((resolve) => server.close(resolve)))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
}

test(
  'the span of an event belongs to the trace of its record, also when its function could not be put together at once',
  { timeout: 30_000 },
  async (t) => {
    const receiver = await startOtlpReceiver(t)
    process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] = receiver.url
    let tries = 0
    await registerFunction(echo, {
      compose: () => {
        tries += 1
        if (tries === 1) throw new Error('not yet')
        return { handler: async () => undefined }
      },
    })
    const url = await serve(t)
    const send = async (id: string, traceId: string): Promise<number> => {
      const headers = messageHeaders({ 'ce-id': id, 'ce-traceparent': `00-${traceId}-00f067aa0ba902b7-01` })
      const response = await fetch(url, { method: 'POST', headers, body: message('hello') })
      await response.arrayBuffer()
      return response.status
    }
    const traces = ['1'.repeat(32), '2'.repeat(32)] as const
    assert.deepEqual([await send('early', traces[0]), await send('late', traces[1])], [500, 204])
    const [span] = await until('the span has been sent', () => (receiver.spans.length > 0 ? receiver.spans : undefined))
    assert.deepEqual(
      [span?.name, span?.service, span?.traceId, span?.parentSpanId],
      ['process event', echo.name, traces[1], '00f067aa0ba902b7'],
    )
    assert.deepEqual([span?.attributes['messaging.message.id'], span?.attributes['sluice.outcome']], ['late', 'done'])
  },
)
