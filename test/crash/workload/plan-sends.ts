// What the senders send: counter programs over many keys and one hot key, with repeats, conflicts, poison, events that fail
// once, and some that no log takes. A function of the seed alone.

import type { Conduct, Send } from '../history/history.ts'
import { seededRandom } from '../seeded-random.ts'

export interface PlannedSend extends Omit<Send, 'outcome' | 'at'> {
  /** Larger than the log takes: its send is certain to fail. */
  readonly oversized: boolean
}

export interface Workload {
  readonly events: number
  readonly seed: number
}

const hotShare = 0.2
const repeatShare = 0.05
const poisonShare = 0.005
const failOnceShare = 0.02
const conflictShare = 0.002
const oversizedShare = 0.001
const recent = 50

export const sourceOfSenders = '/crash/senders'

export function planSends({ events, seed }: Workload): readonly PlannedSend[] {
  const random = seededRandom(seed)
  const keys = Math.max(20, Math.round(events / 25))
  const numbers = new Map<string, number>()
  const planned: PlannedSend[] = []
  const conduct = (): Conduct => {
    if (random.chance(poisonShare)) return random.chance(0.5) ? 'reject' : 'exhaust'
    return random.chance(failOnceShare) ? 'fail-once' : 'succeed'
  }
  const latest: PlannedSend[] = []
  for (let event = 1; event <= events; event += 1) {
    const key = random.chance(hotShare) ? 'hot' : `key-${random.between(1, keys)}`
    const number = (numbers.get(key) ?? 0) + 1
    numbers.set(key, number)
    const oversized = random.chance(oversizedShare)
    const amount = random.between(1, 9)
    const send = { kind: 'first', id: `e${event}`, key, number, amount, conduct: conduct(), oversized } as const
    planned.push(send)
    if (!oversized) latest.push(send)
    if (latest.length > recent) latest.shift()
    const again = latest[random.between(0, latest.length - 1)]
    if (again === undefined) continue
    if (random.chance(repeatShare)) planned.push({ ...again, kind: 'repeat' })
    if (random.chance(conflictShare)) planned.push({ ...again, kind: 'conflict', amount: again.amount + 100 })
  }
  return planned
}
