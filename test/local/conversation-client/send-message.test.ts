import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sendMessage } from '../../../local/conversation-client/index.ts'
import { systemClock as clock } from '../../../shared/time/index.ts'
import { accepted, scriptedGateway } from './scripted-gateway.ts'

const signal = AbortSignal.timeout(10_000)

test('what the gateway answered comes back with the trace id', async (t) => {
  const { url: gatewayUrl } = await scriptedGateway(t, {})
  assert.deepEqual(await sendMessage({ gatewayUrl, message: 'Hello', signal }, { clock }), {
    sessionId: 's-1',
    turnId: 't-1',
    eventId: 'e-1',
    traceId: '0af7651916cd43dd8448eb211c80319c',
  })
})

test('a gateway that fails is tried again under the same idempotency key', async (t) => {
  const { url: gatewayUrl, requests } = await scriptedGateway(t, {
    messages: [{ status: 503 }, { status: 409, body: { code: 'idempotency_running' } }, { status: 429 }, accepted],
  })
  await sendMessage({ gatewayUrl, message: 'Hello', signal }, { clock })
  assert.equal(requests.length, 4)
  assert.equal(new Set(requests.map(({ headers }) => headers['idempotency-key'])).size, 1)
})

test('a refusal is an error with the reason the gateway gave', async (t) => {
  const { url: gatewayUrl } = await scriptedGateway(t, {
    messages: [{ status: 422, body: { code: 'invalid_request', detail: 'message is empty' } }],
  })
  await assert.rejects(sendMessage({ gatewayUrl, message: '', signal }, { clock }), /message is empty/)
})

test('a gateway that never comes is given up when the signal says so', async () => {
  const soon = AbortSignal.timeout(100)
  await assert.rejects(
    sendMessage({ gatewayUrl: 'http://127.0.0.1:1', message: 'Hello', signal: soon }, { clock }),
    /timeout/,
  )
})
