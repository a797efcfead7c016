// The two things that commit together, open for the length of one run.
//
// E1  After `close` the handler can neither write nor emit, whatever it still does.
// E2  `store` is the last write of the transaction: it holds the outbox keys until COMMIT, in an order that cannot deadlock.

import type { Transaction } from '../../database/index.ts'
import { noTracer } from '../../telemetry/index.ts'
import type { DeliveryDeps } from '../deps.ts'
import { failpoint } from '../failpoints.ts'
import type { Effects } from '../handler.ts'
import { createEmissions, type Emission, type EmissionsOptions } from '../outbox/emission.ts'
import { guardTransaction } from './guarded-transaction.ts'

export interface Stored {
  readonly emitted: readonly Emission[]
  /** Not awaited, it travels with COMMIT: when it fails, so does the transaction, by the same error. */
  readonly storing: Promise<void>
}

export interface OpenEffects {
  readonly effects: Effects
  readonly close: () => void
  /** Closes, and begins to put what was emitted into the outbox. Publish it after COMMIT. */
  readonly store: () => Stored
}

export function openEffects(
  tx: Transaction,
  options: EmissionsOptions,
  { clock, outbox, failpoints, tracer = noTracer }: Pick<DeliveryDeps, 'clock' | 'outbox' | 'failpoints' | 'tracer'>,
): OpenEffects {
  const guard = guardTransaction(tx)
  const { emit, emitted, close: closeEmissions } = createEmissions(options, { clock, tracer })
  const close = (): void => {
    guard.close()
    closeEmissions()
  }
  return {
    effects: { tx: guard.tx, emit },
    close,
    store: () => {
      close()
      const storing = outbox.store(tx, emitted)
      storing.catch(() => undefined) // the transaction rejects with it
      failpoints(failpoint.beforeCommit)
      return { emitted, storing }
    },
  }
}
