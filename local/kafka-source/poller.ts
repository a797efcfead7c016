// When the log is asked for records.
//
//   idle ──poll──▶ reading ──records──▶ idle          the next poll: at the tick, or at once when eager
//                     └──────none──────▶ open ──append, or its time is over──▶ reading, idle
//
// P1  Ordered sources poll at a tick (200 ms upstream), which caps them at `maxPollRecords` a tick (K18); a poll that found
//     nothing stays open for the same partitions and takes what comes at once, as consumer.poll does.
// P2  Eager: polls again as long as there is room and something to take. Unordered sources are so upstream; ordered ones here
//     when they are woken by appends.
// P3  A hint of the log may be missing: an open poll ends after a while, and the next tick looks again.

import type { Clock } from '../../shared/time/index.ts'
import type { Partition } from './partition.ts'

export interface PollerOptions {
  readonly partitions: readonly Partition[]
  readonly eager: boolean
  /** How long a poll of an ordered source stays open, in milliseconds. */
  readonly openMs: number
}

export interface PollerDeps {
  readonly clock: Clock
  readonly wants: (partition: Partition) => boolean
  /** Reads and dispatches; resolves with how many there were. Does not reject. */
  readonly read: (partitions: readonly Partition[]) => Promise<number>
}

export interface Poller {
  tick(): Promise<void>
  /** Records came, or may have come. */
  appended(): Promise<void>
  /** A place became free. */
  freed(): Promise<void>
  close(): void
}

interface OpenPoll {
  readonly name: 'open'
  readonly partitions: readonly Partition[]
  readonly untilMs: number
}

type Phase = { readonly name: 'idle' } | { readonly name: 'reading' } | OpenPoll | { readonly name: 'closed' }

export function createPoller({ partitions, eager, openMs }: PollerOptions, { clock, wants, read }: PollerDeps): Poller {
  let phase: Phase = { name: 'idle' }
  let missed = false

  const idleUnlessClosed = (): void => {
    if (phase.name !== 'closed') phase = { name: 'idle' }
  }

  /** `again` is the poll that is open. */
  async function poll(again?: OpenPoll): Promise<void> {
    if (phase.name === 'closed') return
    if (phase.name === 'reading') {
      missed = true
      return
    }
    for (;;) {
      const wanting = again?.partitions ?? partitions.filter(wants)
      if (wanting.length === 0) {
        for (const partition of partitions) partition.missedPoll = true
        return idleUnlessClosed()
      }
      phase = { name: 'reading' }
      missed = false
      const count = await read(wanting)
      if (isClosed()) return
      phase = { name: 'idle' }
      if (count === 0 && !missed) {
        phase = again ?? { name: 'open', partitions: wanting, untilMs: clock.now() + openMs }
        return
      }
      if (count > 0 && !eager) return
    }
  }

  const isClosed = (): boolean => phase.name === 'closed'

  return {
    tick: async () => {
      const isStillOpen = phase.name === 'open' && !eager && clock.now() < phase.untilMs
      if (!isStillOpen) return poll()
    },
    appended: async () => {
      if (eager) return poll()
      if (phase.name === 'open') return poll(phase)
      if (phase.name === 'reading') missed = true
    },
    freed: async () => {
      if (eager && partitions.some((partition) => partition.missedPoll && wants(partition))) return poll()
    },
    close: () => void (phase = { name: 'closed' }),
  }
}
