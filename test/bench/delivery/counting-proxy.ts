// A hop before Postgres that lets every answer wait a while, and counts what passes: statements, and round trips. A round trip
// begins when a client sends something after an answer reached it; what it sends before the next answer travels with it.
//
// Messages are a type byte and a length (PostgreSQL, Frontend/Backend Protocol), but the client's first, which has no type.

import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

export interface Traffic {
  /** By the text of the statement. */
  readonly statements: ReadonlyMap<string, number>
  /** By the text of the statement that began them. */
  readonly roundTrips: ReadonlyMap<string, number>
}

export interface CountingProxy extends Disposable {
  readonly port: number
  /** What passed since the last call. */
  take(): Traffic
}

export async function startCountingProxy(options: {
  readonly port: number
  readonly delayMs: number
}): Promise<CountingProxy> {
  const { port, delayMs } = options
  const sockets = new Set<Socket>()
  let statements = new Map<string, number>()
  let roundTrips = new Map<string, number>()

  const listener = createServer((client) => {
    const server = connect(port, '127.0.0.1')
    const read = statementReader()
    let answered = true
    client.on('data', (bytes) => {
      for (const text of read(bytes)) {
        count(statements, text)
        if (answered) count(roundTrips, text)
        answered = false
      }
      server.write(bytes)
    })
    server.on('data', (bytes) => {
      // Timers of one length fire in the order in which they were set.
      setTimeout(() => {
        answered = true
        if (client.writable) client.write(bytes)
      }, delayMs)
    })
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      // prettier-ignore
      sockets.add(from.setNoDelay(true))
      from.on('error', () => {})
      from.on('close', () => {
        to.destroy()
        sockets.delete(from)
      })
    }
  })
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  return {
    port: (listener.address() as AddressInfo).port,
    take: () => {
      const taken = { statements, roundTrips }
      statements = new Map()
      roundTrips = new Map()
      return taken
    },
    [Symbol.dispose]: () => {
      listener.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}

const count = (counts: Map<string, number>, text: string): void => void counts.set(text, (counts.get(text) ?? 0) + 1)

const parse = 'P'.charCodeAt(0)
const bind = 'B'.charCodeAt(0)
const query = 'Q'.charCodeAt(0)

/** Follows what one client sends over chunk borders, and gives the texts of the statements it runs. */
function statementReader(): (chunk: Buffer) => readonly string[] {
  let rest = Buffer.alloc(0)
  let typeBytes = 0
  const prepared = new Map<string, string>() // by name; the unnamed one is ''
  return (chunk) => {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    const texts: string[] = []
    let at = 0
    while (at + typeBytes + 4 <= bytes.length) {
      const end = at + typeBytes + bytes.readUInt32BE(at + typeBytes)
      if (end > bytes.length) break
      const fields = bytes.subarray(at + typeBytes + 4, end)
      if (typeBytes === 1 && bytes[at] === query) texts.push(short(wordAt(fields, 0)))
      const second = fields.indexOf(0) + 1
      if (typeBytes === 1 && bytes[at] === parse) prepared.set(wordAt(fields, 0), short(wordAt(fields, second)))
      if (typeBytes === 1 && bytes[at] === bind) texts.push(prepared.get(wordAt(fields, second)) ?? '') // after its portal
      typeBytes = 1
      at = end
    }
    rest = Buffer.from(bytes.subarray(at))
    return texts
  }
}

const wordAt = (fields: Buffer, from: number): string => fields.toString('latin1', from, fields.indexOf(0, from))

const short = (text: string): string => text.replaceAll(/\s+/g, ' ').trim().slice(0, 60)
