// A stand-in for KafkaSinks: POST /<topic> writes the event to that topic, as the data plane does in binary mode – `ce-x` becomes
// the record header `ce_x`, the body is the value, `partitionkey` the key. Answers 202 when the log has the record.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { AppendRecord, EventLog } from '../../shared/event-log/index.ts'
import type { Component } from '../../shared/lifecycle/index.ts'

export interface KafkaSink extends Component {
  /** Where events for a topic go. Good after start. */
  url(topic: string): string
}

export interface KafkaSinkDeps {
  readonly eventLog: Pick<EventLog, 'append'>
}

const bodyBytes = 2_097_152

export function createKafkaSink({ eventLog }: KafkaSinkDeps): KafkaSink {
  const server = createServer((request, response) => {
    receive(request, response).catch(() => answer(response, 503))
  })

  async function receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [, topic = ''] = /^\/([A-Za-z0-9._-]{1,249})$/.exec(request.url ?? '') ?? []
    if (request.method !== 'POST' || topic === '') return answer(response, request.method === 'POST' ? 404 : 405)
    const body = await bodyOf(request)
    if (body === undefined) return answer(response, 413)
    if (request.headers['ce-specversion'] === undefined) return answer(response, 400)
    await eventLog.append([recordOf(topic, request.headers, body)])
    answer(response, 202)
  }

  return {
    name: 'kafka sink',
    start: () =>
      new Promise((resolve, reject) => {
        server.once('error', reject)
        server.listen(0, '127.0.0.1', resolve)
      }),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
    health: () => ({ status: server.listening ? 'up' : 'down' }),
    url: (topic) => `http://127.0.0.1:${(server.address() as AddressInfo).port}/${topic}`,
  }
}

function recordOf(topic: string, headers: IncomingMessage['headers'], body: Buffer): AppendRecord {
  // Header values are Latin-1 on the wire.
  const attributes = Object.entries(headers).flatMap(([name, value]) =>
    name.startsWith('ce-') && typeof value === 'string'
      ? [[`ce_${name.slice(3)}`, Buffer.from(value, 'latin1')] as const]
      : [],
  )
  const contentType = headers['content-type']
  const content = contentType === undefined ? [] : [['content-type', Buffer.from(contentType, 'latin1')] as const]
  const key = headers['ce-partitionkey']
  return {
    topic,
    key: typeof key === 'string' ? Buffer.from(key, 'latin1') : null,
    headers: [...attributes, ...content],
    // A tombstone comes without content-length.
    value: body.length === 0 && headers['content-length'] === undefined ? null : body,
  }
}

async function bodyOf(request: IncomingMessage): Promise<Buffer | undefined> {
  const parts: Buffer[] = []
  let bytes = 0
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length
    if (bytes <= bodyBytes) parts.push(part)
  }
  return bytes > bodyBytes ? undefined : Buffer.concat(parts)
}

function answer(response: ServerResponse, status: number): void {
  response.writeHead(status, { 'content-length': '0' }).end()
}
