// Answers of the receiver. Head and body leave together in one write with an explicit length: a KafkaSource's timeout ends
// at the head, so a body that came later could hold its partition for ever (docs/kafka-source.md, K13).

import type { ServerResponse } from 'node:http'
import { type ErrorCode, errorCodes } from '../../errors/index.ts'
import type { receiveOutcomes } from '../../telemetry/index.ts'
import type { Guard } from './overload-guard.ts'
import { problemContentType, problemOf } from '../problem.ts'

/** What became of the event. */
export type ReplyOutcome = (typeof receiveOutcomes)[number]

export interface Reply {
  readonly status: number
  readonly outcome: ReplyOutcome
  /** Present exactly when the status is not 2xx. */
  readonly code?: ErrorCode
  /** For the log only; never sent. */
  readonly reason?: string
  /** Delivery has written the one line of this event already. */
  readonly logged?: true
  /** What was full, of a request that was refused before any work. */
  readonly shed?: 'queue' | Guard
  readonly retryAfterS?: number
  readonly allow?: string
  /** The connection ends with this answer, because what follows on it cannot be trusted. */
  readonly close?: boolean
}

/** The answer to an error of this code. */
export const errorReply = (code: ErrorCode, outcome: ReplyOutcome, more: Partial<Reply> = {}): Reply => ({
  status: errorCodes[code].status,
  outcome,
  code,
  ...more,
})

const emptyHead = ['content-length', '0']
const emptyLastHead = ['content-length', '0', 'connection', 'close']

export function sendReply(response: ServerResponse, reply: Reply, traceId: string): void {
  const { status, code, retryAfterS, allow, close = false } = reply
  if (code === undefined || status < 300) {
    // Empty, because the answer of a sink may be taken for a reply event.
    response.writeHead(status, close ? emptyLastHead : emptyHead)
    response.end()
    return
  }
  const body = JSON.stringify(problemOf({ code, traceId, status }))
  const head = ['content-type', problemContentType, 'content-length', String(Buffer.byteLength(body))]
  // Becomes the extension `sluicecause` of the source's dead letter. A hyphen in the name would jam the record for ever.
  if (status < 500) head.push('kne-sluicecause', code)
  if (retryAfterS !== undefined) head.push('retry-after', String(retryAfterS))
  if (allow !== undefined) head.push('allow', allow)
  if (close) head.push('connection', 'close')
  response.writeHead(status, head)
  response.end(body)
}
