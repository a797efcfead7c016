// A lane's run of a `steps` function.

import type { DeliveryDeps } from '../deps.ts'
import { chainAfter } from '../outbox/hops.ts'
import { createSteps } from '../steps/steps-context.ts'
import type { StepsBehaviour } from './behaviour.ts'
import type { LaneRunning } from './lane-run-transaction.ts'
import { deliveryOrigin } from './run-handler.ts'
import { withinTimeLimit } from './time-limit.ts'

/** Throws what the handler threw, or `lease_lost`. Finished steps stay finished; what they emitted is published already. */
export async function runStepsFromLane(
  { incoming, run }: LaneRunning,
  { contract, handler, parent }: Omit<StepsBehaviour, 'execution'>,
  deps: DeliveryDeps,
): Promise<void> {
  const { tenant } = run
  const log = deps.log.child({ event_id: run.id })
  const limit = { ms: contract.delivery.timeoutMs, what: `The handler of ${contract.name}`, parent }
  await withinTimeLimit(limit, deps, async (signal) => {
    const { step, transaction, commit, settle, close } = createSteps(
      {
        run,
        signal,
        onCommitted: (emitted) => deps.outbox.publish(emitted),
        function: contract.name,
        produces: contract.produces,
        tenant,
        chain: chainAfter(incoming.event, deps),
      },
      deps,
    )
    try {
      const journalled = { step, transaction, commit }
      const facts = { log, signal, attempt: run.attempts, tenant, delivery: deliveryOrigin(incoming, run) }
      await handler(incoming.event, { ...journalled, ...facts })
      signal.throwIfAborted()
      await settle()
    } finally {
      close()
    }
  })
}
