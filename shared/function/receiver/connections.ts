// The open connections of the receiver, and what runs on each. All bookkeeping of events in flight hangs on the connection,
// which exists anyway: a listener and a set entry for each event cost as much as decoding its headers.
//
// C1  An event is in flight from `begin` to `end`. A connection has one at a time, or more when its client pipelines.
// C2  When a connection closes while a body is still coming, whoever reads it is told once.
// C3  A connection with nothing in flight that was not used for `idleMs` is closed, by a look every quarter of that. (Node's
//     own keep-alive timeout sets and clears a timer for each request.)

import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import type { Clock } from '../../time/index.ts'
import type { Reception } from './reception.ts'

/** What is kept of one connection. */
export interface Connection {
  readonly socket: Socket
  closed: boolean
  current: Reception | undefined
  /** Events beside the current one, of a client that pipelines. */
  further: Set<Reception> | undefined
  /** Called when the connection closes. Set while a body is read. */
  onCut: (() => void) | undefined
  /** Monotonic. */
  usedAtMs: number
}

export interface Connections {
  /** The connection of a request that came now. */
  use(socket: Socket, nowMs: number): Connection
  begin(connection: Connection, reception: Reception): void
  end(connection: Connection, reception: Reception): void
  inFlight(): readonly Reception[]
  /** Resolves when nothing is in flight. */
  idle(): Promise<void>
  /** Forgets the timer. */
  stop(): void
}

const key = Symbol('connection')
type Tracked = Socket & { [key]?: Connection }

const isBusy = ({ current, further }: Connection): boolean => current !== undefined || (further?.size ?? 0) > 0

export interface ConnectionsDeps {
  readonly server: Server
  readonly clock: Clock
}

export function createConnections(
  { idleMs }: { readonly idleMs: number },
  { server, clock }: ConnectionsDeps,
): Connections {
  // Closed ones stay until their events have ended.
  const known = new Set<Connection>()
  let running = 0
  let waiters: (() => void)[] = []
  let timer = clock.after(idleMs / 4, closeIdle, { unref: true })

  function track(socket: Tracked): Connection {
    const connection: Connection = {
      socket,
      closed: false,
      current: undefined,
      further: undefined,
      onCut: undefined,
      usedAtMs: clock.monotonic(),
    }
    socket[key] = connection
    known.add(connection)
    socket.once('close', () => {
      connection.closed = true
      connection.onCut?.()
      if (!isBusy(connection)) known.delete(connection)
    })
    return connection
  }
  server.on('connection', track)

  function closeIdle(): void {
    const before = clock.monotonic() - idleMs
    for (const connection of known) {
      if (!isBusy(connection) && connection.usedAtMs < before) connection.socket.destroySoon()
    }
    timer = clock.after(idleMs / 4, closeIdle, { unref: true })
  }

  return {
    use: (socket: Tracked, nowMs) => {
      const connection = socket[key] ?? track(socket)
      connection.usedAtMs = nowMs
      return connection
    },
    begin: (connection, reception) => {
      running += 1
      if (connection.current === undefined) connection.current = reception
      else (connection.further ??= new Set()).add(reception)
    },
    end: (connection, reception) => {
      running -= 1
      if (connection.current === reception) connection.current = undefined
      else connection.further?.delete(reception)
      if (connection.closed && !isBusy(connection)) known.delete(connection)
      if (running > 0 || waiters.length === 0) return
      for (const resolve of waiters) resolve()
      waiters = []
    },
    inFlight: () =>
      [...known].flatMap(({ current, further = [] }) => (current === undefined ? [...further] : [current, ...further])),
    idle: () => (running === 0 ? Promise.resolve() : new Promise((resolve) => waiters.push(resolve))),
    stop: () => timer.cancel(),
  }
}
