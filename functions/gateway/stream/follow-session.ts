// Follows one session for one client: durable events in order of position, pieces of answers between them.
//
// F1  Subscribe first, then read: an event that is stored in between is announced, so none falls into a gap.
// F2  Durable events come from the table alone, by position, each once. A signal is only a reason to look; without any, a
//     look every `pollMs` finds what a lost signal hid.
// F3  Signals are handled one after the other, so a piece never comes before the start of its turn nor after its end.
// F4  Pieces that wait for a slow client count as its buffer.

import type { Queryable } from '../../../shared/database/index.ts'
import { parseSessionSignal, sessionChannel, type SessionSignal } from '../../../shared/events/index.ts'
import type { Channel } from '../../../shared/key-value/index.ts'
import type { Clock } from '../../../shared/time/index.ts'
import { readEvents, type ReadEvent, type SessionKey } from '../session-queries.ts'
import { createDeltaFilter } from './delta-filter.ts'
import type { SseWriter } from './sse-writer.ts'

export interface FollowOptions {
  readonly key: SessionKey
  /** Position after which to begin. */
  readonly after: number
  readonly pollMs?: number
  /** Pieces waiting for the client, in characters, with what the socket holds. */
  readonly bufferBytes: number
}

export interface FollowDeps {
  readonly channel: Channel
  readonly database: Queryable
  readonly clock: Clock
}

const pageEvents = 100
const nobodyWaits = (): void => undefined

/** Resolves when the stream has ended. @throws what the database or the channel threw: the caller ends the stream. */
export async function followSession(
  writer: SseWriter,
  { key, after, pollMs = 3_000, bufferBytes }: FollowOptions,
  deps: FollowDeps,
): Promise<void> {
  const { channel, database, clock } = deps
  const deltas = createDeltaFilter()
  const signals: SessionSignal[] = []
  let waitingChars = 0
  let position = after
  let wake = nobodyWaits

  const onMessage = (text: string): void => {
    const signal = parseSessionSignal(text)
    if (signal === undefined) return
    if (signal.kind === 'delta') waitingChars += signal.text.length
    if (writer.waiting() + waitingChars > bufferBytes) return writer.end()
    signals.push(signal)
    wake()
  }

  async function readOn(): Promise<void> {
    for (;;) {
      const events = await readEvents(database, key, { after: position, limit: pageEvents })
      for (const event of events) {
        await writer.room()
        sendEvent(event)
      }
      if (events.length < pageEvents) return
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
    waitingChars -= signal.text.length
    if (!deltas.knows(signal.turn_id)) await readOn() // its start was stored before it was sent
    if (!deltas.admits(signal)) return
    await writer.room()
    const { kind: _kind, ...piece } = signal
    writer.send({ type: 'delta', data: piece })
  }

  /** Resolves with true when a signal waits, with false when it is time to look. */
  const signalOrTime = (): Promise<boolean> =>
    new Promise((resolve) => {
      const timer = clock.after(pollMs, () => resolve(false), { unref: true })
      wake = () => {
        timer.cancel()
        resolve(true)
      }
      if (signals.length > 0) wake()
    })

  const subscription = await channel.subscribe(sessionChannel(key.tenant, key.sessionId), onMessage)
  writer.ended.addEventListener('abort', () => wake(), { once: true })
  try {
    await readOn()
    while (!writer.ended.aborted) {
      if (!(await signalOrTime())) await readOn()
      for (let signal = signals.shift(); signal !== undefined && !writer.ended.aborted; signal = signals.shift())
        await handle(signal)
    }
  } catch (error) {
    if (!writer.ended.aborted) throw error
  } finally {
    await subscription.stop()
  }
}
