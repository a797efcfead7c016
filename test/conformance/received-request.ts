// A request as a sink received it, from memory or over a socket, in the shape of the captures.

import type { IncomingMessage } from 'node:http'
import type { SinkRequest } from '../../local/kafka-source/index.ts'

export interface ReceivedRequest {
  readonly via: 'memory' | 'socket'
  readonly method: string
  readonly path: string
  readonly httpVersion: string
  /** In the order of the wire; Latin-1: one character is one byte. */
  readonly rawHeaders: readonly (readonly [string, string])[]
  /** Undefined while it was not read to its end. */
  body: Buffer | undefined
}

export const fromMemory = ({ method, url, headers, body }: SinkRequest): ReceivedRequest => ({
  via: 'memory',
  method,
  path: pathOf(url),
  httpVersion: '1.1',
  rawHeaders: headers,
  body: body ?? Buffer.alloc(0),
})

export const fromSocket = ({ method = '', url = '', httpVersion, rawHeaders }: IncomingMessage): ReceivedRequest => ({
  via: 'socket',
  method,
  path: url,
  httpVersion,
  rawHeaders: rawHeaders.flatMap((name, at) => (at % 2 === 0 ? [[name, rawHeaders[at + 1] ?? ''] as const] : [])),
  body: undefined,
})

export const headerOf = ({ rawHeaders }: Pick<ReceivedRequest, 'rawHeaders'>, wanted: string): string | undefined =>
  rawHeaders.find(([name]) => name.toLowerCase() === wanted)?.[1]

/** As written in the URL of the sink. */
export function pathOf(url: string): string {
  const path = /^[a-z]+:\/\/[^/?#]*([^#]*)/i.exec(url)?.[1] ?? ''
  return path.startsWith('/') ? path : `/${path}`
}
