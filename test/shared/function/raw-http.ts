// HTTP as bytes on a socket, for what no client library would send, and to see what is really written.

import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

export interface RawAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** Did the server close the connection after the answer? */
  readonly closed: boolean
}

export interface RawConnection {
  readonly socket: Socket
  write(data: string | Buffer): void
  /** The next answer; waits for its end, and for the close of the connection when the answer announces it. */
  answer(options?: { readonly limitMs?: number }): Promise<RawAnswer>
}

export async function openConnection(port: number): Promise<RawConnection> {
  const socket = connect(port, '127.0.0.1')
  let received = Buffer.alloc(0)
  let closed = false
  let wake = nobody
  socket.on('data', (chunk) => {
    received = Buffer.concat([received, chunk])
    wake()
  })
  socket.on('error', () => undefined) // the close that follows says enough
  socket.on('close', () => {
    closed = true
    wake()
  })
  await once(socket, 'connect')

  return {
    socket,
    write: (data) => void socket.write(data),
    answer: async ({ limitMs = 20_000 } = {}) => {
      const late = setTimeout(() => socket.destroy(new Error('no answer in time')), limitMs)
      try {
        for (;;) {
          const parsed = parse(received)
          if (parsed !== undefined && (closed || parsed.headers['connection'] !== 'close')) {
            received = received.subarray(parsed.length)
            const { status, headers, body } = parsed
            return { status, headers, body, closed }
          }
          if (closed)
            throw new Error(
              `the connection closed without a whole answer: ${received.toString('latin1').slice(0, 200)}`,
            )
          await new Promise<void>((resolve) => (wake = resolve))
        }
      } finally {
        clearTimeout(late)
      }
    },
  }
}

const nobody = (): void => undefined

/** One request on a connection of its own. */
export async function exchange(
  port: number,
  data: string | Buffer,
  options: { readonly limitMs?: number } = {},
): Promise<RawAnswer> {
  const connection = await openConnection(port)
  try {
    connection.write(data)
    return await connection.answer(options)
  } finally {
    connection.socket.destroy()
  }
}

/** The bytes of a POST with an explicit length. Header values are written as Latin-1, as a KafkaSource does. */
export function post(headers: Readonly<Record<string, string>>, body: string | Buffer = '', target = '/'): Buffer {
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(body)
  const lines = Object.entries({ host: 'test', 'content-length': String(bytes.length), ...headers })
  const head = `POST ${target} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`
  return Buffer.concat([Buffer.from(head, 'latin1'), bytes])
}

function parse(received: Buffer):
  | {
      readonly status: number
      readonly headers: Record<string, string>
      readonly body: string
      readonly length: number
    }
  | undefined {
  const headEnd = received.indexOf('\r\n\r\n')
  if (headEnd < 0) return undefined
  const [statusLine = '', ...lines] = received.subarray(0, headEnd).toString('latin1').split('\r\n')
  const headers: Record<string, string> = {}
  for (const line of lines) {
    const at = line.indexOf(':')
    headers[line.slice(0, at).toLowerCase()] = line.slice(at + 1).trim()
  }
  const length = headEnd + 4 + Number(headers['content-length'] ?? 0)
  if (received.length < length) return undefined
  return {
    status: Number(statusLine.split(' ')[1]),
    headers,
    body: received.subarray(headEnd + 4, length).toString('utf8'),
    length,
  }
}

export const get = (target: string): string => `GET ${target} HTTP/1.1\r\nhost: x\r\n\r\n`
