// The ports: values that may vanish, and messages that may be missed. Both hold only what has its source of truth elsewhere.
//
// Every adapter passes test/contracts/key-value.ts:
// K1  Every value has a time to live; after it the key is absent. Time is the store's.
// K2  setIfAbsent and increment are atomic among all processes.
// K3  A call answers or fails with `key_value_unavailable` in bounded time; it never hangs.
// C1  A subscriber gets the messages of one publisher in the order of its publish calls, each at most once.
// C2  A subscription outlives lost connections; messages sent meanwhile are missed, silently.

import type { Component } from '../lifecycle/index.ts'
import type { Subscription } from '../database/index.ts'

export interface Lifetime {
  /** Milliseconds, 1 or more. */
  readonly ttlMs: number
}

/** Keys: 1 to 512 bytes without NUL. Values: any text, 1 MiB at most. Methods throw `key_value_unavailable` and `invalid_parameter`. */
export interface KeyValue {
  get(key: string): Promise<string | undefined>
  set(key: string, value: string, lifetime: Lifetime): Promise<void>
  /** @returns whether the key was absent and now has this value. */
  setIfAbsent(key: string, value: string, lifetime: Lifetime): Promise<boolean>
  delete(key: string): Promise<void>
  /**
   * Adds to a number; an absent key counts from 0. The time to live is set when the key appears and not prolonged by later
   * increments, so a counter is a fixed window. @throws `conflict` when the value is not a whole number.
   */
  increment(key: string, change: Lifetime & { readonly by?: number }): Promise<number>
}

export interface Channel {
  /** Resolves when the store has the message, whoever listens. At most 64 KiB of UTF-8, or `invalid_parameter`. */
  publish(channel: string, message: string): Promise<void>
  /** Resolves when the subscription is in effect. */
  subscribe(channel: string, onMessage: (message: string) => void): Promise<Subscription>
}

export interface KeyValueStore {
  readonly keyValue: KeyValue
  readonly channel: Channel
  readonly component: Component & Required<Pick<Component, 'probe'>>
}
