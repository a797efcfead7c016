// An event from its source for a `steps` function: one statement claims and parks it. It never runs on the source's request,
// because an ordered source holds its whole partition while it waits (docs/adr/0002).

import type { DeliveryContract, Incoming } from '../contract.ts'
import type { DeliveryDeps } from '../deps.ts'
import { claimAndPark } from '../inbox/claim.ts'
import { receivedEvent } from '../inbox/received-event.ts'
import { buryConflict } from './accept-transaction.ts'
import { settled, type Decided } from './decision.ts'

export async function acceptSteps(
  incoming: Incoming,
  contract: DeliveryContract,
  deps: DeliveryDeps,
): Promise<Decided> {
  const event = receivedEvent(incoming, contract)
  const claimed = await claimAndPark(deps.database, contract, event)
  if (claimed === 'duplicate') return settled('duplicate')
  if (claimed === 'conflict') return deps.database.transaction((tx) => buryConflict(tx, event, { contract, deps }))
  return settled('parked')
}
