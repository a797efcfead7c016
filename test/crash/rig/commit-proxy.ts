// A hop before Postgres that understands its protocol as far as COMMIT: when armed, it lets the next COMMIT happen, sees the
// server say so, and resets the connection before the client hears of it.
//
// Answers are messages of a type byte and a length (PostgreSQL, Frontend/Backend Protocol); `C` is CommandComplete, its text
// the command tag. Before that the server sends nothing of another form, because the clients here ask for no TLS.

import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

export interface CommitProxyOptions {
  readonly port: number
  /** Whose COMMITs may lose their answer. */
  readonly isAtRisk: (application: string) => boolean
}

export interface CommitProxy {
  readonly port: number
  /** Swallows the answer of the next COMMIT. Resolves with the application whose COMMIT it was. */
  dropCommit(): Promise<string>
  stop(): void
}

const commandComplete = 'C'.charCodeAt(0)
const commitTag = Buffer.from('COMMIT\0')
const headBytes = 5

export async function startCommitProxy({ port, isAtRisk }: CommitProxyOptions): Promise<CommitProxy> {
  const pairs = new Set<readonly [Socket, Socket]>()
  const armed: ((application: string) => void)[] = []

  const listener = createServer((client) => {
    const server = connect(port, '127.0.0.1')
    const pair = [client, server] as const
    pairs.add(pair)
    let application = ''
    client.on('data', (bytes) => {
      if (application === '') application = applicationOf(bytes)
      server.write(bytes)
    })
    const scan = commitScanner()
    server.on('data', (bytes) => {
      const commitAt = scan(bytes)
      if (commitAt === undefined || armed.length === 0 || !isAtRisk(application)) client.write(bytes)
      else {
        client.resetAndDestroy()
        server.destroy()
        armed.shift()?.(application)
      }
    })
    for (const [from, to] of [pair, [server, client]] as const) {
      from.setNoDelay(true)
      from.on('error', () => {})
      from.on('close', () => {
        to.destroy()
        pairs.delete(pair)
      })
    }
  })
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  return {
    port: (listener.address() as AddressInfo).port,
    dropCommit: () => new Promise((resolve) => armed.push(resolve)),
    stop: () => {
      listener.close()
      for (const sockets of pairs) for (const socket of sockets) socket.destroy()
    },
  }
}

/** Follows the messages of one connection over chunk borders. Returns where in the chunk the answer to a COMMIT ends. */
export function commitScanner(): (chunk: Buffer) => number | undefined {
  let rest = Buffer.alloc(0)
  return (chunk) => {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    let at = 0
    let commitAt: number | undefined
    while (at + headBytes <= bytes.length) {
      const end = at + 1 + bytes.readUInt32BE(at + 1)
      if (end > bytes.length) break
      const isCommit = bytes[at] === commandComplete && bytes.subarray(at + headBytes, end).equals(commitTag)
      if (isCommit) commitAt ??= end
      at = end
    }
    rest = Buffer.from(bytes.subarray(at))
    return commitAt
  }
}

const applicationOf = (startUp: Buffer): string =>
  /application_name\0([^\0]*)\0/.exec(startUp.toString('latin1'))?.[1] ?? 'unknown'
