// The event that every variant gets: about 1 KiB of JSON, in binary mode, with the headers that a KafkaSource sends.

const eventId = '0198c0a8-7d1e-7c3a-9b55-3f2a6f0c1d30'
const sessionId = '0198c0a8-7d1e-7c3a-9b55-3f2a6f0c1d2e'
const digits = 12

export const sampleData = {
  session_id: sessionId,
  turn_id: '0198c0a8-7d1e-7c3a-9b55-3f2a6f0c1d2f',
  message: 'What is 17*23, and what time is it in Lima? Please explain each step. '.repeat(9).trim(),
  strategy: 'enqueue',
  persona_id: 'assistant-default',
  metadata: { channel: 'web', locale: 'es-PE', client: 'bench 1.0', zone: 'America/Lima', build: '2026.11.25' },
}

export function requestBytes(port: number): Buffer {
  const body = Buffer.from(JSON.stringify(sampleData))
  const head = [
    'POST / HTTP/1.1',
    'user-agent: Vert.x-WebClient/4.5.21',
    'Prefer: reply',
    'Kn-Namespace: shop',
    'ce-specversion: 1.0',
    `ce-id: ${eventId}`,
    'ce-source: /sluice/gateway',
    'ce-type: conversation.message.received.v1',
    'content-type: application/json',
    'ce-time: 2026-11-25T20:15:30.123Z',
    'ce-tenant: local',
    `ce-partitionkey: ${sessionId}`,
    'ce-sluicetopic: conversation.inbound',
    `content-length: ${body.length}`,
    `host: 127.0.0.1:${port}`,
    'traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
  ]
  return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), body])
}

/** Writes another id and key over those of the request, in head and body, at the same length. */
export function stampOf(request: Buffer): (numbers: { readonly event: number; readonly key: number }) => void {
  const idAt = request.indexOf(eventId)
  const keyAt = [request.indexOf(sessionId), request.lastIndexOf(sessionId)]
  const write = (at: number, number: number): void =>
    void request.write(String(number).padStart(digits, '0'), at + eventId.length - digits, 'latin1')
  return ({ event, key }) => {
    write(idAt, event)
    for (const at of keyAt) write(at, key)
  }
}
