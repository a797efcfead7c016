// Follows a session's stream and never gives up by itself: when it breaks, it comes back after what it has seen.
//
// F1  Everything the gateway sends is handed on as it is; that no durable event is left out or repeated over a reconnect is
//     the gateway's promise, and tests hold it to it.
// F2  It waits as the server says (`retry:`), and while nothing answers with a doubling delay up to two seconds.

import { createParser } from 'eventsource-parser'
import { messageOf, SluiceError } from '../../shared/errors/index.ts'
import type { Clock } from '../../shared/time/index.ts'
import { streamItemOf, type StreamItem } from './stream-items.ts'

export type FollowItem =
  | StreamItem
  | { readonly kind: 'connected'; readonly after: number }
  /** The stream ended or could not be opened. */
  | { readonly kind: 'disconnected'; readonly reason: string; readonly after: number }

export interface FollowOptions {
  readonly gatewayUrl: string
  readonly sessionId: string
  /** Position after which to begin. */
  readonly after: number
  readonly signal: AbortSignal
}

const firstWaitMs = 100
const longestWaitMs = 2_000

/** Ends when the signal aborts. @throws SluiceError when the gateway refuses the request itself. */
export async function* followSession(
  { gatewayUrl, sessionId, after, signal }: FollowOptions,
  { clock }: { readonly clock: Clock },
): AsyncGenerator<FollowItem> {
  const url = `${gatewayUrl}/v1/session/${encodeURIComponent(sessionId)}/events`
  let position = after
  let failures = 0
  let retryMs = firstWaitMs
  while (!signal.aborted) {
    let reason = 'the stream ended'
    try {
      const answer = await fetch(url, { headers: { 'last-event-id': String(position) }, signal })
      if (answer.status >= 400 && answer.status < 500 && answer.status !== 429) throw await refusal(answer)
      if (!answer.ok || answer.body === null) throw new Error(`the gateway answered ${answer.status}`)
      failures = 0
      yield { kind: 'connected', after: position }
      for await (const item of itemsOf(answer.body, (ms) => (retryMs = ms))) {
        if (item.kind === 'event') position = item.position
        yield item
      }
    } catch (error) {
      if (signal.aborted) return
      if (error instanceof SluiceError) throw error
      failures += 1
      reason = reasonOf(error)
    }
    if (signal.aborted) return
    yield { kind: 'disconnected', reason, after: position }
    const waitMs = failures === 0 ? retryMs : Math.min(longestWaitMs, firstWaitMs * 2 ** (failures - 1))
    await clock.sleep(waitMs, signal).catch(() => undefined)
  }
}

async function* itemsOf(body: ReadableStream<Uint8Array>, onRetry: (ms: number) => void): AsyncGenerator<StreamItem> {
  const items: StreamItem[] = []
  const parser = createParser({
    onRetry,
    onEvent: (message) => {
      const item = streamItemOf(message)
      if (item !== undefined) items.push(item)
    },
  })
  const decoder = new TextDecoder()
  for await (const chunk of body) {
    parser.feed(decoder.decode(chunk, { stream: true }))
    yield* items.splice(0)
  }
}

async function refusal(answer: Response): Promise<SluiceError> {
  const problem = (await answer.json().catch(() => ({}))) as { readonly title?: string; readonly detail?: string }
  const code = answer.status === 404 ? 'not_found' : 'invalid_request'
  return new SluiceError(code, problem.detail ?? problem.title ?? `the gateway answered ${answer.status}`)
}

// fetch says "fetch failed" or "terminated" and hides why in the cause
const reasonOf = (error: unknown): string =>
  error instanceof Error && error.cause !== undefined ? messageOf(error.cause) : messageOf(error)
