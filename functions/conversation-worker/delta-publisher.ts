// Sends the text of an answer to whoever watches the session, while it is being written.
//
// D1  Pieces leave in order, one publish at a time; what comes meanwhile travels together. So a fast model costs no more
//     publishes than a slow store can take, and each character is sent once.
// D2  Comfort only: a failed publish is dropped and never fails the turn. The whole answer comes with turn.completed.
// D3  After `flush` nothing more leaves, so no piece follows the end of its turn.

import { sessionChannel, type SessionSignal } from '../../shared/events/index.ts'
import type { Channel } from '../../shared/key-value/index.ts'
import type { Logger } from '../../shared/telemetry/index.ts'
import type { Clock } from '../../shared/time/index.ts'
import type { ConversationKey } from './session-scene.ts'

export interface DeltaOptions {
  readonly key: ConversationKey
  readonly turnId: string
  readonly round: number
  readonly attempt: number
  /** Least time between two publishes, in milliseconds: what a person's eye does not notice. Default 25. */
  readonly pauseMs?: number
}

export interface DeltaPublisher {
  add(text: string): void
  flush(): Promise<void>
}

/** Characters of one publish: with escapes it stays below the channel's 64 KiB. */
const pieceChars = 8_000

export function createDeltaPublisher(
  { key, turnId, round, attempt, pauseMs = 25 }: DeltaOptions,
  { channel, clock, log }: { readonly channel: Channel; readonly clock: Clock; readonly log: Logger },
): DeltaPublisher {
  const name = sessionChannel(key.tenant, key.sessionId)
  let waiting = ''
  let index = 0
  const closing = new AbortController()
  let sending: Promise<void> | undefined

  async function sendAll(): Promise<void> {
    while (waiting !== '') {
      const text = waiting.slice(0, pieceChars)
      waiting = waiting.slice(text.length)
      const signal: SessionSignal = { kind: 'delta', turn_id: turnId, round, attempt, index: index++, text }
      try {
        await channel.publish(name, JSON.stringify(signal))
      } catch (error) {
        log.debug({ err: error }, 'a piece of an answer was not sent')
      }
      await clock.sleep(pauseMs, closing.signal).catch(() => undefined) // the end of the answer cuts the pause
    }
    sending = undefined
  }

  return {
    add: (text) => {
      if (closing.signal.aborted) return
      waiting += text
      sending ??= sendAll()
    },
    flush: async () => {
      closing.abort()
      await sending
    },
  }
}
