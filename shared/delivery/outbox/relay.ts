// The loop of outbox-sync that publishes what the emitting processes did not, woken by NOTIFY and by a tick. Any number of
// relays may run; the claim keeps them apart.

import type { Database, Subscription } from '../../database/index.ts'
import type { Component } from '../../lifecycle/index.ts'
import type { Clock } from '../../time/index.ts'
import { outboxChannel } from '../channels.ts'
import { createLoop, type Loop } from '../loop.ts'
import type { Outbox } from './outbox.ts'

const tickMs = 1_000

export interface RelayDeps {
  readonly outbox: Outbox
  readonly database: Database
  readonly clock: Clock
}

export function createRelay({ outbox, database, clock }: RelayDeps): Component {
  let subscription: Subscription | undefined
  let loop: Loop | undefined
  return {
    name: 'outbox relay',
    start: async () => {
      const started = createLoop({ tickMs }, { clock }, relayAll)
      subscription = await database.listen(outboxChannel, started.wake)
      loop = started
      started.start()
    },
    stop: async () => {
      await subscription?.stop()
      await loop?.stop()
    },
    health: () => outbox.health(),
  }

  async function relayAll(signal: AbortSignal): Promise<undefined> {
    // A failure is counted and logged by the outbox; its rows rest for a while, the loop comes again with the tick.
    while (!signal.aborted && (await outbox.relay().catch(() => 0)) > 0);
    return undefined
  }
}
