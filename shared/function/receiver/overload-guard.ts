// Sheds new work while the process itself is in trouble: its event loop answers late, or its heap is nearly full. What has been
// admitted goes on; health and operators are not asked. Later it would be too late: a process that swaps or collects garbage
// without end serves nobody.
//
//   taking ──two looks in a row over the limit──▶ shedding ──four in a row below the lower limit──▶ taking
//
// G1  One late look is no overload, and one good one is no recovery (hysteresis), so that it does not flap.
// G2  Lag is measured by this timer's own lateness: what it suffers, every answer suffers.

import { getHeapStatistics } from 'node:v8'
import type { Component } from '../../lifecycle/index.ts'
import type { Instruments, Logger } from '../../telemetry/index.ts'
import type { Clock } from '../../time/index.ts'

export type Guard = 'event-loop' | 'heap'

export interface OverloadGuardOptions {
  /** Lateness of the event loop from which on work is shed, in milliseconds. */
  readonly lagMs: number
  /** Used part of the largest heap from which on work is shed, in percent. */
  readonly heapPercent: number
}

export interface OverloadGuardDeps {
  readonly clock: Clock
  readonly log: Logger
  readonly instruments: Pick<Instruments, 'overloaded'>
  /** Percent of the largest heap in use. */
  readonly heapPercent?: () => number
}

export interface OverloadGuard extends Component {
  /** What is full; undefined when work is taken. */
  sheds(): Guard | undefined
}

interface Watched {
  readonly guard: Guard
  /** Above it one look speaks for shedding. */
  readonly limit: number
  /** Below it one look speaks for taking again. */
  readonly lower: number
  /** Looks in a row that spoke against what is done now. */
  against: number
  shedding: boolean
}

const everyMs = 250
const looksToShed = 2
const looksToTake = 4

export function createOverloadGuard(
  { lagMs, heapPercent: heapLimit }: OverloadGuardOptions,
  { clock, log, instruments, heapPercent = usedHeapPercent }: OverloadGuardDeps,
): OverloadGuard {
  const watched: Watched[] = [
    { guard: 'event-loop', limit: lagMs, lower: lagMs / 2, against: 0, shedding: false },
    { guard: 'heap', limit: heapLimit, lower: heapLimit - 10, against: 0, shedding: false },
  ]
  let timer = { cancel: (): void => undefined }
  let dueAtMs = 0

  function judge(one: Watched, value: number): void {
    const speaksAgainst = one.shedding ? value < one.lower : value > one.limit
    one.against = speaksAgainst ? one.against + 1 : 0
    if (one.against < (one.shedding ? looksToTake : looksToShed)) return
    one.shedding = !one.shedding
    one.against = 0
    instruments.overloaded.set({ guard: one.guard }, one.shedding ? 1 : 0)
    const facts = { guard: one.guard, value: Math.round(value) }
    if (one.shedding) log.warn(facts, 'new work is refused')
    else log.info(facts, 'new work is taken again')
  }

  function look(): void {
    const values = { 'event-loop': clock.monotonic() - dueAtMs, heap: heapPercent() }
    for (const one of watched) judge(one, values[one.guard])
    schedule()
  }

  function schedule(): void {
    dueAtMs = clock.monotonic() + everyMs
    timer = clock.after(everyMs, look, { unref: true })
  }

  return {
    name: 'overload-guard',
    start: async () => {
      for (const { guard } of watched) instruments.overloaded.set({ guard }, 0)
      schedule()
    },
    stop: async () => timer.cancel(),
    health: () => ({ status: watched.some(({ shedding }) => shedding) ? 'down' : 'up' }),
    sheds: () => watched.find(({ shedding }) => shedding)?.guard,
  }
}

function usedHeapPercent(): number {
  const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics()
  return (used / limit) * 100
}
