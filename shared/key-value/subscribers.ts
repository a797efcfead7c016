// Who wants the messages of which channel. A subscriber that throws does not keep a message from the others.

import { messageOf } from '../errors/index.ts'
import type { Logger } from '../telemetry/index.ts'

export type OnMessage = (message: string) => void

export interface Subscribers {
  /** @returns how to remove it; removing twice is harmless. */
  add(channel: string, onMessage: OnMessage): () => void
  has(channel: string): boolean
  deliver(channel: string, message: string): void
}

export function createSubscribers({ log }: { readonly log: Logger }): Subscribers {
  const channels = new Map<string, Set<OnMessage>>()
  return {
    add: (channel, onMessage) => {
      const subscribers = channels.get(channel) ?? new Set()
      const own: OnMessage = (message) => onMessage(message) // so that the same function may subscribe twice
      channels.set(channel, subscribers.add(own))
      return () => {
        subscribers.delete(own)
        if (subscribers.size === 0 && channels.get(channel) === subscribers) channels.delete(channel)
      }
    },
    has: (channel) => channels.has(channel),
    deliver: (channel, message) => {
      for (const onMessage of channels.get(channel) ?? []) {
        try {
          onMessage(message)
        } catch (error) {
          log.error({ reason: messageOf(error) }, 'a subscriber of a channel failed')
        }
      }
    },
  }
}
