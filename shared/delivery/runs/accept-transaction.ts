// An event from its source for a `transaction` function: claim, handler, effects, outbox rows and the inbox row are one
// transaction, and the handler runs on the source's request while the key's lock is held.
//
// A1  The handler runs behind a savepoint. When it fails, its writes are undone and the event is parked or buried in the same
//     transaction, so the key's lock is never free between the failure and its record: no later event slips past.
// A2  Only a lost database, a drain that ran out of time, or a constraint deferred to COMMIT undoes everything; then the source
//     comes again.

import type { Transaction } from '../../database/index.ts'
import type { DeliveryContract, Incoming } from '../contract.ts'
import { bury, remainsOfEvent } from '../dead-letters/bury.ts'
import { storable } from '../dead-letters/dead-letter.ts'
import type { DeliveryDeps } from '../deps.ts'
import { failpoint } from '../failpoints.ts'
import { claim, dueNow, park } from '../inbox/claim.ts'
import { receivedEvent, type ReceivedEvent } from '../inbox/received-event.ts'
import type { TransactionBehaviour } from './behaviour.ts'
import { settled, type Decided } from './decision.ts'
import { judgeFailure } from './failure.ts'
import { runHandler, type HandlerRun } from './run-handler.ts'

export async function acceptTransaction(
  incoming: Incoming,
  { contract, handler, parent }: TransactionBehaviour,
  deps: DeliveryDeps,
): Promise<Decided> {
  const event = receivedEvent(incoming, contract)
  return deps.database.transaction(async (tx) => {
    const claiming = claim(tx, contract, event)
    const savepoint = tx.query('SAVEPOINT handler') // travels with the claim
    savepoint.catch(() => undefined) // it fails when the claim does, whose error tells why
    const claimed = await claiming
    await savepoint
    if (claimed === 'duplicate') return settled('duplicate')
    if (claimed === 'conflict') return buryConflict(tx, event, { contract, deps })
    if (claimed === 'park') {
      await park(tx, contract, { ...event, parking: dueNow })
      return settled('parked')
    }
    deps.failpoints(failpoint.claimed)
    const run: HandlerRun = { incoming, origin: event, attempt: 1, contract, parent }
    const ended = await runHandler(tx, handler, { run, deps })
    if (ended.ok) return { ...settled('done', ended.emitted), attempt: 1 }
    if (parent.aborted) throw ended.error
    return recordFailure(tx, event, { contract, deps, error: ended.error })
  })
}

interface Surroundings {
  readonly contract: DeliveryContract
  readonly deps: DeliveryDeps
}

async function recordFailure(
  tx: Transaction,
  event: ReceivedEvent,
  { contract, deps, error }: Surroundings & { readonly error: unknown },
): Promise<Decided> {
  const attempt = 1
  const failure = judgeFailure({ error, attempt }, contract, deps.random)
  if (failure.kind === 'lost' || failure.kind === 'superseded') throw error
  await tx.query('ROLLBACK TO SAVEPOINT handler')
  const { code, message: reason } = failure
  if (failure.kind === 'dead') {
    const remains = remainsOfEvent(event, { function: contract.name, code, message: reason, attempts: attempt, error })
    const { emitted } = await bury(tx, { ...remains, taken: true }, deps)
    return { outcome: 'dead', code, reason, attempt, emitted }
  }
  const { delayMs } = failure
  await park(tx, contract, { ...event, parking: { attempts: attempt, delayMs, cause: code, detail: storable(reason) } })
  return { outcome: 'retrying', code, reason, attempt, delayMs, emitted: [] }
}

/** The id was taken by an event with other data. The first one stands; this one becomes a dead letter. */
export async function buryConflict(
  tx: Transaction,
  event: ReceivedEvent,
  { contract, deps }: Surroundings,
): Promise<Decided> {
  const reason = 'The id was used before for an event with other data'
  const remains = remainsOfEvent(event, { function: contract.name, code: 'id_conflict', message: reason, attempts: 0 })
  const { isNew, emitted } = await bury(tx, { ...remains, taken: false }, deps)
  return isNew
    ? { outcome: 'dead', code: 'id_conflict', reason, emitted }
    : { outcome: 'duplicate', code: 'id_conflict', emitted }
}
