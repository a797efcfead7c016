// How every connection is made, pooled or not: limits are set in the start-up packet, so no connection exists without them.

import { Socket } from 'node:net'
import { TypeOverrides, types, type ClientConfig } from 'pg'
import type { Secret } from '../config/index.ts'
import { SluiceError } from '../errors/index.ts'

export interface ConnectionOptions {
  readonly url: Secret<string>
  /** Shown in pg_stat_activity: the name of the function. */
  readonly applicationName: string
  /** Longest statement, in milliseconds. */
  readonly statementTimeoutMs: number
  /** Longest wait for a lock, in milliseconds. */
  readonly lockTimeoutMs: number
  /** Longest wait for a connection, in milliseconds, be it for the network or for a free one of the pool. */
  readonly connectTimeoutMs: number
  /** Longest pause between two statements of a transaction, in milliseconds; then the server ends the session. */
  readonly idleInTransactionTimeoutMs: number
}

/** A server that vanished sends nothing: the client gives up this long after the server should have, in milliseconds. */
export const answerMarginMs = 5_000

/** `query_timeout`: longest wait for an answer, in milliseconds. */
export type ConnectionConfig = ClientConfig & {
  readonly query_timeout: number
  readonly connectionTimeoutMillis: number
}

/** `sockets` collects the open sockets, for a stop that cannot wait. */
export function connectionConfig(options: ConnectionOptions, sockets: Set<Socket>): ConnectionConfig {
  // Declared apart: @types/pg knows neither `pipeline` nor `stream` as a function.
  const config = {
    connectionString: options.url.reveal(),
    application_name: options.applicationName,
    statement_timeout: options.statementTimeoutMs,
    lock_timeout: options.lockTimeoutMs,
    idle_in_transaction_session_timeout: options.idleInTransactionTimeoutMs,
    query_timeout: options.statementTimeoutMs + answerMarginMs,
    connectionTimeoutMillis: options.connectTimeoutMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    pipeline: true, // concurrent statements of one transaction travel together
    stream: () => trackedSocket(sockets),
    types: integers,
  }
  return config
}

function trackedSocket(sockets: Set<Socket>): Socket {
  const socket = new Socket()
  sockets.add(socket)
  socket.once('close', () => sockets.delete(socket))
  return socket
}

const integers = new TypeOverrides()
integers.setTypeParser(types.builtins.INT8, safeInteger)

function safeInteger(text: string): number {
  const value = Number(text)
  if (Number.isSafeInteger(value)) return value
  throw new SluiceError(
    'number_out_of_range',
    `int8 ${text} is beyond what a JavaScript number holds exactly; select it as text`,
  )
}
