// Sends one message to a gateway. A gateway that is away is tried again under the same idempotency key, so the message is
// taken once, whatever broke.

import { randomUUID } from 'node:crypto'
import { messageOf, SluiceError } from '../../shared/errors/index.ts'
import { parseTraceparent } from '../../shared/telemetry/index.ts'
import type { Clock } from '../../shared/time/index.ts'

export interface SentMessage {
  readonly sessionId: string
  readonly turnId: string
  readonly eventId: string
  /** Joins everything that comes of the message, in all logs. */
  readonly traceId: string
}

export interface SendOptions {
  readonly gatewayUrl: string
  readonly sessionId?: string
  readonly message: string
  readonly strategy?: 'enqueue' | 'interrupt' | 'reject'
  readonly signal: AbortSignal
}

const retryEveryMs = 250

/** @throws SluiceError when the gateway refuses the message; the signal's reason when it aborts first. */
export async function sendMessage(options: SendOptions, { clock }: { readonly clock: Clock }): Promise<SentMessage> {
  const { gatewayUrl, sessionId, message, strategy, signal } = options
  const body = JSON.stringify({
    message,
    ...(sessionId === undefined ? {} : { session_id: sessionId }),
    ...(strategy === undefined ? {} : { strategy }),
  })
  const headers = { 'content-type': 'application/json', 'idempotency-key': randomUUID() }
  for (;;) {
    const answer = await post(`${gatewayUrl}/v1/session/message`, { method: 'POST', headers, body, signal })
    if (answer !== undefined) return answer
    await clock.sleep(retryEveryMs, signal)
  }
}

/** Undefined: try again. */
async function post(
  url: string,
  request: RequestInit & { readonly signal: AbortSignal },
): Promise<SentMessage | undefined> {
  let answer: Response
  let content: Readonly<Record<string, string>>
  try {
    answer = await fetch(url, request)
    content = (await answer.json()) as Readonly<Record<string, string>>
  } catch (error) {
    request.signal.throwIfAborted()
    if (error instanceof SyntaxError)
      throw new SluiceError('dependency_failed', `${url} did not answer as a gateway: ${messageOf(error)}`)
    return undefined
  }
  if (answer.status >= 500 || answer.status === 429 || content['code'] === 'idempotency_running') return undefined
  if (!answer.ok)
    throw new SluiceError('invalid_request', content['detail'] ?? content['title'] ?? `status ${answer.status}`)
  return {
    sessionId: content['session_id'] ?? '',
    turnId: content['turn_id'] ?? '',
    eventId: content['event_id'] ?? '',
    traceId: parseTraceparent(answer.headers.get('traceresponse') ?? undefined)?.traceId ?? '',
  }
}
