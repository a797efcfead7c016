// A client of the gateway as a person's program would be one: fetch for requests, eventsource-parser for the stream.

import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { createParser, type EventSourceMessage } from 'eventsource-parser'
import { atEnd, until } from '../../support/index.ts'

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: Readonly<Record<string, unknown>>
}

export interface Accepted {
  readonly session_id: string
  readonly event_id: string
  readonly turn_id: string
}

export async function call(url: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(url, init)
  const text = await response.text()
  return {
    status: response.status,
    headers: response.headers,
    body: text === '' ? {} : (JSON.parse(text) as Answer['body']),
  }
}

export const post = (url: string, body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Answer> =>
  call(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })

export async function say(
  base: string,
  message: string,
  more: Readonly<Record<string, unknown>> = {},
): Promise<Accepted> {
  const answer = await post(`${base}/v1/session/message`, { message, ...more })
  assert.equal(answer.status, 202, JSON.stringify(answer.body))
  return answer.body as unknown as Accepted
}

export interface StreamedEvent {
  readonly id: string | undefined
  readonly type: string
  readonly data: Readonly<Record<string, unknown>>
}

export interface Watching {
  readonly events: readonly StreamedEvent[]
  readonly comments: readonly string[]
  readonly retries: readonly number[]
  /** Events with an id. */
  durable(): readonly StreamedEvent[]
  /** Text of the answer as the rules of the stream say, from pieces alone. */
  text(turnId: string): string
  /** Resolves with the end of the turn. */
  turnEnded(turnId: string, limitMs?: number): Promise<StreamedEvent>
  close(): Promise<void>
  /** Resolves when the server ended the stream. */
  readonly ended: Promise<void>
}

export async function watch(
  t: TestContext,
  url: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Watching> {
  const leaving = new AbortController()
  const response = await fetch(url, { headers, signal: leaving.signal })
  assert.equal(response.status, 200, response.status === 200 ? '' : await response.text())
  const events: StreamedEvent[] = []
  const comments: string[] = []
  const retries: number[] = []
  const onEvent = ({ id, event, data }: EventSourceMessage): void => {
    events.push({ id, type: event ?? '', data: JSON.parse(data) as StreamedEvent['data'] })
  }
  const parser = createParser({
    onEvent,
    onComment: (comment) => comments.push(comment),
    onRetry: (ms) => retries.push(ms),
  })
  const decoder = new TextDecoder()
  const ended = (async () => {
    for await (const chunk of response.body ?? []) parser.feed(decoder.decode(chunk as Uint8Array, { stream: true }))
  })().catch((error: unknown) => {
    if (!leaving.signal.aborted) throw error
  })
  const close = async (): Promise<void> => {
    leaving.abort()
    await ended
  }
  atEnd(t, close)
  const isEnd = ({ type }: StreamedEvent): boolean =>
    type === 'conversation.turn.completed.v1' || type === 'conversation.turn.failed.v1'
  return {
    events,
    comments,
    retries,
    durable: () => events.filter(({ id }) => id !== undefined),
    text: (turnId) => assembled(events, turnId),
    turnEnded: (turnId, limitMs = 15_000) =>
      until(`turn ${turnId} ended`, () => events.find((event) => isEnd(event) && event.data['turn_id'] === turnId), {
        limitMs,
      }),
    close,
    ended,
  }
}

/** A higher attempt replaces the text of its round. */
function assembled(events: readonly StreamedEvent[], turnId: string): string {
  const rounds = new Map<number, { attempt: number; text: string }>()
  for (const { type, data } of events) {
    if (type !== 'delta' || data['turn_id'] !== turnId) continue
    const { round, attempt, text } = data as { round: number; attempt: number; text: string }
    const known = rounds.get(round)
    if (known?.attempt === attempt) known.text += text
    else rounds.set(round, { attempt, text })
  }
  return [...rounds.values()].map(({ text }) => text).join('')
}

/** The event's own data. */
export const dataOf = ({ data }: StreamedEvent): Readonly<Record<string, unknown>> =>
  data['data'] as Readonly<Record<string, unknown>>
