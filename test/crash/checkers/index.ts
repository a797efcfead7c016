import type { History } from '../history/history.ts'
import type { Checker, Invariant } from './finding.ts'
import { noEffectTwice } from './no-effect-twice.ts'
import { noEventLost } from './no-event-lost.ts'
import { noPhantom } from './no-phantom.ts'
import { orderPerKey } from './order-per-key.ts'
import { outboxIsTopic } from './outbox-is-topic.ts'

export { extraCopies } from './outbox-is-topic.ts'
export type { Breach, Invariant } from './finding.ts'

export const checkers: readonly { readonly invariant: Invariant; readonly title: string; readonly check: Checker }[] = [
  { invariant: 'I1', title: 'no event lost', check: noEventLost },
  { invariant: 'I2', title: 'no effect twice', check: noEffectTwice },
  { invariant: 'I3', title: 'no phantom', check: noPhantom },
  { invariant: 'I4', title: 'order per key', check: orderPerKey },
  { invariant: 'I5', title: 'outbox = topic', check: outboxIsTopic },
]

/** All breaches of all invariants, each opening with the invariant. */
export const breachesOf = (history: History): readonly string[] =>
  checkers.flatMap(({ check }) => check(history).map(({ invariant, what }) => `${invariant} ${what}`))
