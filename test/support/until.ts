// Waiting for a condition instead of sleeping. Polls, because what tests wait for is often another process.

import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'

export interface UntilOptions {
  /** Longest wait in milliseconds; then the test fails naming what it waited for. */
  readonly limitMs?: number
  readonly everyMs?: number
}

/** Resolves with the first result that is not false, null or undefined of `condition`. A condition that throws is asked again; its last error is shown. */
export async function until<T>(
  what: string,
  condition: () => T | Promise<T>,
  { limitMs = 10_000, everyMs = 10 }: UntilOptions = {},
): Promise<Exclude<T, false | null | undefined>> {
  const end = performance.now() + limitMs
  let last: unknown
  for (;;) {
    try {
      const result = await condition()
      if (result !== undefined && result !== null && result !== false)
        return result as Exclude<T, false | null | undefined>
      last = result
    } catch (error) {
      last = error
    }
    if (performance.now() > end) assert.fail(`waited ${limitMs} ms in vain until ${what}; last seen: ${String(last)}`)
    await sleep(everyMs)
  }
}
