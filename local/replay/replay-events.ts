// Posts events to a function, one after the other so that their order holds, and counts the answers. An event that was taken
// before is absorbed by the function's inbox, so a file may be replayed as often as one likes – unless its events get new ids.

import { v7 as uuidv7 } from 'uuid'
import { messageOf } from '../../shared/errors/index.ts'
import { encodeHttpEvent, type CloudEvent } from '../../shared/events/index.ts'
import type { EventLine } from './event-lines.ts'

export interface ReplayReport {
  /** Events that got an answer, by status. */
  readonly answers: ReadonlyMap<number, number>
  readonly failures: readonly ReplayFailure[]
}

export interface ReplayFailure {
  readonly line: number
  readonly reason: string
}

export interface ReplayOptions {
  readonly url: string
  /** Longest wait for one answer, in milliseconds. */
  readonly timeoutMs: number
  readonly signal?: AbortSignal
  /** Each event gets an id of its own, so that it is handled anew. */
  readonly newIds?: boolean
}

/** Goes on after a failure; every event that was not answered with 2xx is in the report. */
export async function replayEvents(lines: AsyncIterable<EventLine>, options: ReplayOptions): Promise<ReplayReport> {
  const answers = new Map<number, number>()
  const failures: ReplayFailure[] = []
  for await (const item of lines) {
    options.signal?.throwIfAborted()
    if (item.kind === 'fault') {
      failures.push({ line: item.line, reason: item.message })
      continue
    }
    const event = options.newIds === true ? { ...item.event, id: uuidv7() } : item.event
    const answer = await post(event, options)
    if (answer.status !== undefined) answers.set(answer.status, (answers.get(answer.status) ?? 0) + 1)
    if (answer.failure !== undefined) failures.push({ line: item.line, reason: answer.failure })
  }
  return { answers, failures }
}

interface Answer {
  readonly status?: number
  readonly failure?: string
}

async function post(event: CloudEvent, { url, timeoutMs, signal }: ReplayOptions): Promise<Answer> {
  const { headers, body } = encodeHttpEvent(event)
  const late = AbortSignal.timeout(timeoutMs)
  try {
    const answer = await fetch(url, {
      method: 'POST',
      headers: { ...headers, 'user-agent': 'sluice-replay' },
      body: new Uint8Array(body),
      redirect: 'manual',
      signal: signal === undefined ? late : AbortSignal.any([signal, late]),
    })
    const text = await answer.text()
    const failure = answer.ok
      ? {}
      : { failure: `status ${answer.status}${text === '' ? '' : `: ${text.slice(0, 300)}`}` }
    return { status: answer.status, ...failure }
  } catch (error) {
    signal?.throwIfAborted()
    return { failure: late.aborted ? `no answer within ${timeoutMs} ms` : `no answer: ${reasonOf(error)}` }
  }
}

// fetch hides what happened in the cause
const reasonOf = (error: unknown): string =>
  error instanceof Error && error.cause !== undefined ? messageOf(error.cause) : messageOf(error)
