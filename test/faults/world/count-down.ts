// Waits for what becomes less to be none, as long as it does become less: how fast is the machine's affair.

import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'

export interface CountDownLimits {
  /** Without a new least for so long it is stuck, in milliseconds. */
  readonly stuckAfterMs: number
  /** Before so many milliseconds have passed nothing is. Default 0. */
  readonly notBeforeMs?: number
}

const lookEveryMs = 200

/** @throws AssertionError with what `tell` says when it is stuck. */
export async function countDown(
  count: () => Promise<number>,
  { stuckAfterMs, notBeforeMs = 0 }: CountDownLimits,
  tell: (left: number) => string,
): Promise<void> {
  const begun = performance.now()
  for (let [least, lessAt] = [Number.POSITIVE_INFINITY, begun]; ;) {
    const left = await count()
    if (left === 0) return
    const now = performance.now()
    if (left < least) [least, lessAt] = [left, now]
    if (now - begun > notBeforeMs && now - lessAt > stuckAfterMs) assert.fail(tell(left))
    await sleep(lookEveryMs)
  }
}
