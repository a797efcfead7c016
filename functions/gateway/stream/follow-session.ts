// Follows one session for one client: durable events in order of position, pieces of answers between them.
//
// F1  Who follows has subscribed before: an event that is stored while the past is read is announced, so none falls into a gap.
// F2  Durable events come from the table alone, by position, each once. A signal is only a reason to look; without any, a
//     look every `pollMs` finds what a lost signal hid.
// F3  Signals are handled one after the other, so a piece never comes before the start of its turn nor after its end.
// F4  Pieces that wait for a slow client count as its buffer, and the past is read in pages of half of it.

import type { Queryable } from '../../../shared/database/index.ts'
import type { SessionSignal } from '../../../shared/events/index.ts'
import { readEventPage, type ReadEvent, type SessionKey } from '../session-queries.ts'
import { createDeltaFilter } from './delta-filter.ts'
import type { SessionSignals } from './session-signals.ts'
import type { SseWriter } from './sse-writer.ts'

export interface FollowOptions {
  readonly key: SessionKey
  /** Position after which to begin. */
  readonly after: number
  readonly pollMs?: number
  /** What may wait for the client: pieces here and bytes at the socket together. */
  readonly bufferBytes: number
}

export interface FollowDeps {
  readonly database: Queryable
  readonly signals: SessionSignals
}

const pageEvents = 100

/** What a client has yet to get, by F4. */
export const waitingFor = (writer: SseWriter, signals: SessionSignals): number =>
  writer.waiting() + signals.waitingChars()

/** Resolves when the stream has ended. @throws what the database threw: the caller ends the stream. */
export async function followSession(
  writer: SseWriter,
  { key, after, pollMs = 3_000, bufferBytes }: FollowOptions,
  { database, signals }: FollowDeps,
): Promise<void> {
  const deltas = createDeltaFilter()
  let position = after

  async function readOn(): Promise<void> {
    for (;;) {
      const asked = { after: position, limit: pageEvents, bytes: bufferBytes / 2 }
      const { events, more } = await readEventPage(database, key, asked)
      for (const event of events) {
        await writer.room()
        sendEvent(event)
      }
      if (!more) return
    }
  }

  function sendEvent(event: ReadEvent): void {
    writer.send({ id: event.position, type: event.type, data: event })
    position = event.position
    deltas.passed(event)
  }

  async function handle(signal: SessionSignal): Promise<void> {
    if (signal.kind === 'durable') {
      if (signal.position > position) await readOn()
      return
    }
    if (!deltas.knows(signal.turn_id)) await readOn() // its start was stored before it was sent
    if (!deltas.admits(signal)) return
    await writer.room()
    const { kind: _kind, ...piece } = signal
    writer.send({ type: 'delta', data: piece })
  }

  signals.onSignal(() => {
    if (waitingFor(writer, signals) > bufferBytes) writer.end('buffer-full')
  })
  writer.ended.addEventListener('abort', () => signals.wake(), { once: true })
  try {
    await readOn()
    while (!writer.ended.aborted) {
      if (!(await signals.wait(pollMs))) await readOn()
      for (let signal = signals.take(); signal !== undefined && !writer.ended.aborted; signal = signals.take()) {
        await handle(signal)
      }
    }
  } catch (error) {
    if (!writer.ended.aborted) throw error
  }
}
