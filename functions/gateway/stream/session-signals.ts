// The signals of one session as a queue: subscribed before anything is read, taken one after the other.

import { parseSessionSignal, sessionChannel, type SessionSignal } from '../../../shared/events/index.ts'
import type { Channel } from '../../../shared/key-value/index.ts'
import type { Clock } from '../../../shared/time/index.ts'
import type { SessionKey } from '../session-queries.ts'

export interface SessionSignals {
  take(): SessionSignal | undefined
  /** Characters of the pieces that wait. */
  waitingChars(): number
  /** Calls `listener` after each signal that came in. */
  onSignal(listener: () => void): void
  /** Resolves with true when a signal waits or `wake` is called, with false after `ms`. */
  wait(ms: number): Promise<boolean>
  wake(): void
  stop(): Promise<void>
}

const nobodyWaits = (): void => undefined

/** @throws what the channel throws: then there is no stream. */
export async function subscribeSession(
  { tenant, sessionId }: SessionKey,
  { channel, clock }: { readonly channel: Channel; readonly clock: Clock },
): Promise<SessionSignals> {
  const queue: SessionSignal[] = []
  let chars = 0
  let wake = nobodyWaits
  let listener = nobodyWaits

  const subscription = await channel.subscribe(sessionChannel(tenant, sessionId), (text) => {
    const signal = parseSessionSignal(text)
    if (signal === undefined) return
    if (signal.kind === 'delta') chars += signal.text.length
    queue.push(signal)
    listener()
    wake()
  })

  return {
    take: () => {
      const signal = queue.shift()
      if (signal?.kind === 'delta') chars -= signal.text.length
      return signal
    },
    waitingChars: () => chars,
    onSignal: (heard) => {
      listener = heard
    },
    wait: (ms) =>
      new Promise((resolve) => {
        const timer = clock.after(ms, () => resolve(false), { unref: true })
        wake = () => {
          timer.cancel()
          resolve(true)
        }
        if (queue.length > 0) wake()
      }),
    wake: () => wake(),
    stop: () => subscription.stop(),
  }
}
