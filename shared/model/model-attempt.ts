// One attempt at an answer: the request, the limits on each wait, the reading of whatever comes back.

import type { Secret } from '../config/index.ts'
import { SluiceError, messageOf } from '../errors/index.ts'
import { isConnectionFailure, type Outbound, type OutboundResponse } from '../resilience/index.ts'
import type { Clock } from '../time/index.ts'
import { createAnswerBuilder, type AnswerBuilder, type ModelAnswer, type TextDelta } from './answer-builder.ts'
import { decodeChunk, type ChatChunk } from './chat-chunk.ts'
import { refusalError } from './model-errors.ts'
import { encodeRequest, type ModelRequest } from './model-request.ts'
import { createPhaseTimer, type PhaseTimer } from './phase-timer.ts'
import { readStream } from './read-stream.ts'

export interface ModelTimeouts {
  /** For a connection. */
  readonly connectMs: number
  /** From the request to the first token. A model that thinks for a minute is slow, not broken. */
  readonly firstTokenMs: number
  /** Between two chunks. */
  readonly idleMs: number
  /** For the whole answer. */
  readonly totalMs: number
}

export interface AttemptOptions {
  readonly url: string
  readonly apiKey: Secret<string> | undefined
  readonly timeouts: ModelTimeouts
  readonly maxAnswerChars: number
}

export interface AttemptDeps {
  readonly outbound: Outbound
  readonly clock: Clock
  readonly random: () => number
}

export interface AttemptListeners {
  readonly signal: AbortSignal
  readonly onDelta?: ((delta: TextDelta) => void) | undefined
  /** The first token is there: the model works. */
  readonly alive: () => void
}

export type Attempt = (request: ModelRequest, listeners: AttemptListeners) => Promise<ModelAnswer>

const maxStreamBytes = 64 * 1_024 * 1_024
const maxErrorBytes = 65_536
/** An answer that is complete does not wait long for its usage and for the connection to end. */
const afterlifeMs = 2_000

export const createAttempt =
  ({ url, apiKey, timeouts, maxAnswerChars }: AttemptOptions, { outbound, clock, random }: AttemptDeps): Attempt =>
  async (request, { signal, onDelta, alive }) => {
    const timer = createPhaseTimer(timeouts, { clock })
    const bounded = AbortSignal.any([signal, timer.signal])
    const builder = createAnswerBuilder({ maxChars: maxAnswerChars, onDelta }, { random })
    const body = encodeRequest(request)
    const add = (chunk: ChatChunk): void => {
      if (chunk.error !== undefined) throw refusalError({ error: chunk.error }, clock.now())
      builder.add(chunk)
      if (!builder.begun && !chunk.thinking) return // a stream that has only said hello still owes its first token
      alive()
      if (builder.finished) timer.enter('end of stream', afterlifeMs)
      else timer.enter('next chunk', timeouts.idleMs)
    }
    try {
      timer.enter('first token', timeouts.firstTokenMs)
      const answer = await outbound
        .request({ method: 'POST', url, headers: headersFor(request, apiKey), body }, { signal: bounded })
        .catch((error: unknown) => {
          throw unreachable(error)
        })
      if (answer.status < 200 || answer.status > 299) throw await refused(answer, clock.now())
      await readAnswer(answer, { add, builder, timer, maxAnswerChars })
      return builder.build({ model: request.model, bodyLength: body.length })
    } finally {
      timer.stop()
    }
  }

interface Reading {
  readonly add: (chunk: ChatChunk) => void
  readonly builder: AnswerBuilder
  readonly timer: PhaseTimer
  readonly maxAnswerChars: number
}

async function readAnswer(answer: OutboundResponse, { add, builder, timer, maxAnswerChars }: Reading): Promise<void> {
  const type = (answer.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase()
  // A server that does not stream, asked to stream, sends the whole answer as JSON.
  if (type === 'application/json') {
    const whole = await answer.bytes(maxAnswerChars * 8).catch((error: unknown) => {
      throw cut(error)
    })
    add(decodeChunk(whole.toString('utf8')))
    if (!builder.begun) throw new SluiceError('model_malformed', 'the model sent an answer without content')
    return
  }
  if (type !== 'text/event-stream') {
    await answer.discard()
    throw new SluiceError(
      'model_malformed',
      'the model answered with a content type that is neither text/event-stream nor application/json',
    )
  }
  let done = false
  const onDone = (): void => {
    done = true
    timer.enter('end of stream', afterlifeMs)
  }
  const onData = (data: string): void => add(decodeChunk(data))
  const limits = { maxEventChars: maxAnswerChars * 8, maxBytes: maxStreamBytes }
  const foreign = await readStream(answer.body, { onData, onDone, ...limits }).catch((error: unknown) => {
    if (done || builder.finished) return 0 // all that matters has arrived; how the connection ends does not
    throw cut(error)
  })
  if (builder.finished || (done && builder.begun)) return
  if (!builder.begun && (done || foreign > 0))
    throw new SluiceError('model_malformed', 'the model sent a stream without an answer')
  throw new SluiceError('model_cut', 'the stream of the model ended before the answer did')
}

function headersFor({ requestId }: ModelRequest, apiKey: Secret<string> | undefined): Record<string, string> {
  return {
    'content-type': 'application/json',
    accept: 'text/event-stream, application/json',
    ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey.reveal()}` }),
    ...(requestId === undefined ? {} : { 'x-client-request-id': requestId }),
  }
}

async function refused(answer: OutboundResponse, now: number): Promise<SluiceError> {
  const text = await answer.bytes(maxErrorBytes).then(
    (bytes) => bytes.toString('utf8'),
    () => '',
  )
  const { status, headers } = answer
  return refusalError({ status, headers, error: errorMember(text) }, now)
}

function errorMember(text: string): unknown {
  try {
    const json: unknown = JSON.parse(text)
    return typeof json === 'object' && json !== null && 'error' in json ? json.error : json
  } catch {
    return text
  }
}

/** Nothing of an answer began. Timeouts and cancellations bring their own error. */
function unreachable(error: unknown): Error {
  if (!(error instanceof SluiceError)) return new SluiceError('model_unavailable', messageOf(error), { cause: error })
  const phase = 'connect'
  if (error.code === 'dependency_timeout')
    return new SluiceError('model_timeout', error.message, { cause: error, details: { phase } })
  if (error.code !== 'dependency_failed') return error
  const details = isConnectionFailure(error) ? { phase } : {}
  return new SluiceError('model_unavailable', error.message, { cause: error, details })
}

export const isUnreachable = (error: unknown): boolean =>
  error instanceof SluiceError && error.code === 'model_unavailable' && error.details['phase'] === 'connect'

/** The answer had begun. */
function cut(error: unknown): Error {
  if (error instanceof SluiceError && error.code !== 'dependency_failed' && error.code !== 'dependency_timeout')
    return error
  return new SluiceError('model_cut', 'the connection to the model broke within the answer', { cause: error })
}
