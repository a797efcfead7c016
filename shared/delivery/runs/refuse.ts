// The way out for what is no event of this function: a dead letter, whether it came from the source or from a lane.

import type { Incoming, Refused } from '../contract.ts'
import { bury, remainsOfEvent, remainsOfRefused, remainsOfRun } from '../dead-letters/bury.ts'
import type { DeliveryDeps } from '../deps.ts'
import { claim } from '../inbox/claim.ts'
import { receivedEvent } from '../inbox/received-event.ts'
import { finishRun, startRun } from '../lanes/lane-run.ts'
import { parseLaneToken } from '../lanes/lane-token.ts'
import { buryConflict } from './accept-transaction.ts'
import type { Behaviour } from './behaviour.ts'
import { settled, type Decided } from './decision.ts'

type Contract = Behaviour['contract']

/** Throws what kept it from recording anything. */
export async function refuse(refused: Refused, contract: Contract, deps: DeliveryDeps): Promise<Decided> {
  if (refused.laneToken !== undefined) return refuseFromLane(refused, refused.laneToken, { contract, deps })
  if (refused.event !== undefined) return refuseEvent({ ...refused, event: refused.event }, contract, deps)
  const { name } = contract
  const { code, message: reason } = refused
  return deps.database.transaction(async (tx) => {
    const remains = remainsOfRefused(refused, { function: name, code, message: reason, attempts: 0 })
    const { isNew, emitted } = await bury(tx, { ...remains, taken: false }, deps)
    return isNew ? { outcome: 'dead', code, reason, emitted } : settled('duplicate')
  })
}

/** It has an identity, so its inbox row decides about repeats, as for any event. */
async function refuseEvent(refused: Refused & Incoming, contract: Contract, deps: DeliveryDeps): Promise<Decided> {
  const event = receivedEvent(refused, contract)
  const { code, message: reason } = refused
  return deps.database.transaction(async (tx) => {
    const claimed = await claim(tx, contract, event)
    if (claimed === 'duplicate') return settled('duplicate')
    if (claimed === 'conflict') return buryConflict(tx, event, { contract, deps })
    const remains = remainsOfEvent(event, { function: contract.name, code, message: reason, attempts: 0 })
    const { emitted } = await bury(tx, { ...remains, taken: true }, deps)
    return { outcome: 'dead', code, reason, emitted }
  })
}

/** The lane's head, once accepted, is refused now: a newer version has a stricter schema. The lane goes on without it. */
async function refuseFromLane(
  { code, message: reason }: Refused,
  laneToken: string,
  { contract, deps }: { readonly contract: Contract; readonly deps: DeliveryDeps },
): Promise<Decided> {
  const offer = parseLaneToken(laneToken)
  const options = { function: contract.name, maxAttempts: contract.delivery.attempts }
  const run = offer === undefined ? undefined : await startRun(deps.database, offer, options)
  if (run === undefined) return settled('stale')
  return deps.database.transaction(async (tx) => {
    await finishRun(tx, run, 'dead')
    const remains = remainsOfRun(run, { function: contract.name, code, message: reason, attempts: run.attempts })
    const { emitted } = await bury(tx, { ...remains, taken: true }, deps)
    return { outcome: 'dead', code, reason, attempt: run.attempts, emitted }
  })
}
