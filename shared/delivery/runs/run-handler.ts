// Calls the handler of a `transaction` function inside an open transaction, bounded in time, and begins to store what it emitted.

import type { Transaction } from '../../database/index.ts'
import type { DeliveryContract, Incoming } from '../contract.ts'
import type { DeliveryDeps } from '../deps.ts'
import type { DeliveryOrigin, TransactionHandler } from '../handler.ts'
import { chainAfter } from '../outbox/hops.ts'
import { openEffects, type Stored } from './effects.ts'
import { withinTimeLimit } from './time-limit.ts'

export interface HandlerRun {
  readonly incoming: Incoming
  readonly origin: { readonly source: string; readonly id: string; readonly key: string }
  readonly attempt: number
  readonly contract: DeliveryContract
  /** Ends the run early. */
  readonly parent: AbortSignal
  /** Writes the end of the event after those of the handler. */
  readonly end?: (tx: Transaction) => Promise<void>
}

export type HandlerEnd = ({ readonly ok: true } & Stored) | { readonly ok: false; readonly error: unknown }

export async function runHandler(
  tx: Transaction,
  handler: TransactionHandler,
  { run, deps }: { readonly run: HandlerRun; readonly deps: DeliveryDeps },
): Promise<HandlerEnd> {
  const { incoming, origin, attempt, contract, parent } = run
  const { tenant = '' } = incoming
  const chain = chainAfter(incoming.event, deps)
  const open = openEffects(tx, { function: contract.name, produces: contract.produces, tenant, chain }, deps)
  const limit = { ms: contract.delivery.timeoutMs, what: `The handler of ${contract.name}`, parent }
  try {
    await withinTimeLimit(limit, deps, (signal) =>
      handler(incoming.event, {
        ...open.effects,
        get log() {
          return deps.log.child({ event_id: origin.id }) // most runs log nothing
        },
        signal,
        attempt,
        tenant,
        delivery: deliveryOrigin(incoming, origin),
      }),
    )
    open.close()
    await run.end?.(tx)
    return { ok: true, ...open.store() }
  } catch (error) {
    open.close()
    return { ok: false, error }
  }
}

export const deliveryOrigin = ({ topic }: Incoming, { source, id, key }: HandlerRun['origin']): DeliveryOrigin =>
  topic === undefined ? { source, id, key } : { source, id, key, topic }
