// Opens a port, or says in one sentence why not and what to do about it.

import { once } from 'node:events'
import type { Server as HttpServer } from 'node:http'
import type { AddressInfo, Server } from 'node:net'
import { SluiceError } from '../errors/index.ts'
import type { Clock } from '../time/index.ts'
import { findPortHolder } from './port-holder.ts'

export interface ListenOptions {
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  /** The variable that sets the port; named when it is taken. */
  readonly variable: string
}

/** Resolves with the port that is open. @throws SluiceError `port_taken`, `start_failed` */
export async function listen(server: Server, { host, port, variable }: ListenOptions): Promise<number> {
  server.listen({ host, port })
  try {
    await once(server, 'listening')
  } catch (cause) {
    throw await explain(cause, { host, port, variable })
  }
  return (server.address() as AddressInfo).port
}

async function explain(cause: unknown, { host, port, variable }: ListenOptions): Promise<SluiceError> {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  if (code === 'EADDRINUSE') {
    const holder = await findPortHolder(port)
    const by = holder === undefined ? 'another process' : `process ${holder}`
    return new SluiceError(
      'port_taken',
      `port ${port} on ${host} is taken by ${by}; set ${variable} to another port, or to 0 for any free one`,
      { cause },
    )
  }
  if (code === 'EACCES')
    return new SluiceError(
      'start_failed',
      `this user may not open port ${port}; set ${variable} to a port above 1023`,
      { cause },
    )
  if (code === 'EADDRNOTAVAIL')
    return new SluiceError('start_failed', `${host} is no address of this machine; set SLUICE_HOST`, { cause })
  return new SluiceError('start_failed', `port ${port} on ${host} could not be opened (${String(code)})`, { cause })
}

/** Idle connections are closed at once, busy ones get this long to end, in milliseconds. */
const closeGraceMs = 500

/** Safe to call in any state. */
export async function closeServer(server: HttpServer, clock: Clock): Promise<void> {
  if (!server.listening) return
  const closed = new Promise((resolve) => server.close(resolve))
  const timer = clock.after(closeGraceMs, () => server.closeAllConnections())
  await closed
  timer.cancel()
}
