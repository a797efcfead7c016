// A lane's run of a `transaction` function: the handler's effects and the end of the event are one transaction.
//
// No savepoint here: the lane stays occupied while the failure is recorded, so nothing can slip past.

import type { Incoming } from '../contract.ts'
import type { Transaction } from '../../database/index.ts'
import { inSpan, noTracer } from '../../telemetry/index.ts'
import type { DeliveryDeps } from '../deps.ts'
import { finishRun, lockLane, type LaneRun } from '../lanes/lane-run.ts'
import type { Emission } from '../outbox/emission.ts'
import type { TransactionBehaviour } from './behaviour.ts'
import { runHandler } from './run-handler.ts'

export interface LaneRunning {
  readonly incoming: Incoming
  readonly run: LaneRun
}

/** Returns what is to be published. Throws what the handler threw, or `lease_lost`; nothing is written then. */
export async function runTransactionFromLane(
  { incoming, run }: LaneRunning,
  { contract, handler, parent }: Omit<TransactionBehaviour, 'execution'>,
  deps: DeliveryDeps,
): Promise<readonly Emission[]> {
  const { tracer = noTracer } = deps
  const work = async (tx: Transaction): Promise<readonly Emission[]> => {
    await lockLane(tx, run)
    const end = (): Promise<void> => finishRun(tx, run, 'done')
    const handlerRun = { incoming, origin: run, attempt: run.attempts, contract, parent, end }
    const ended = await runHandler(tx, handler, { run: handlerRun, deps })
    if (!ended.ok) throw ended.error
    return ended.emitted
  }
  return inSpan(
    tracer,
    () => ({ name: 'transaction' }),
    () => deps.database.transaction(work),
  )
}
