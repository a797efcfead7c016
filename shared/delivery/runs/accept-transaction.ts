// An event from its source for a `transaction` function: claim, handler, effects, outbox rows and the inbox row are one
// transaction, and the handler runs on the source's request while the key's lock is held.
//
// A1  The handler runs behind a savepoint. When it fails, its writes are undone and the event is parked or buried in the same
//     transaction, so the key's lock is never free between the failure and its record: no later event slips past.
// A2  An event that waits for a dependency, or for a person after its only attempt, is at the head of a lane that says so.
// A3  Only a lost database or a drain that ran out of time undoes everything; then the source comes again.
// A4  The end may fail with the handler long over: the outbox rows travel with COMMIT, a constraint may be deferred to it, and it
//     commits nothing after an error that the handler swallowed. Then the event is claimed anew to record that as its failure: a
//     later event of the key that was waiting for the lock may be taken before it.

import type { Transaction } from '../../database/index.ts'
import { classifyError } from '../../errors/index.ts'
import type { Circuit } from '../../resilience/index.ts'
import type { DeliveryContract, Incoming } from '../contract.ts'
import { bury, remainsOfEvent } from '../dead-letters/bury.ts'
import { storable } from '../dead-letters/dead-letter.ts'
import { inSpan, noTracer } from '../../telemetry/index.ts'
import type { DeliveryDeps } from '../deps.ts'
import { failpoint } from '../failpoints.ts'
import { fingerprintOf } from '../dead-letters/fingerprint.ts'
import { claim, dueNow, park } from '../inbox/claim.ts'
import { receivedEvent, type ReceivedEvent } from '../inbox/received-event.ts'
import { holdNewLane, letNewLaneWait } from '../lanes/new-lane.ts'
import type { TransactionBehaviour } from './behaviour.ts'
import type { Passage } from './circuit-gate.ts'
import { settled, type Decided } from './decision.ts'
import { judgeFailure } from './failure.ts'
import { runHandler, type HandlerRun } from './run-handler.ts'

const setSavepoint = { name: 'sluice.savepoint', text: 'SAVEPOINT handler' }

export async function acceptTransaction(
  incoming: Incoming,
  behaviour: TransactionBehaviour,
  deps: DeliveryDeps,
): Promise<Decided> {
  const passage = behaviour.gate.enter()
  try {
    const { circuit, ...decided } = await decide(incoming, { behaviour, passage, deps })
    if (circuit !== undefined) behaviour.gate.waits(circuit)
    return decided
  } finally {
    if (passage.kind === 'go') passage.leave()
  }
}

interface Surroundings {
  readonly behaviour: TransactionBehaviour
  readonly passage: Passage
  readonly deps: DeliveryDeps
}

/** `circuit`: what the event waits for. */
type DecidedHere = Decided & { readonly circuit?: Circuit }

async function decide(incoming: Incoming, surroundings: Surroundings): Promise<DecidedHere> {
  const { behaviour, passage, deps } = surroundings
  const { contract, handler, parent } = behaviour
  const event = receivedEvent(incoming, contract)
  let isHandled = false
  try {
    return await whenClaimed(event, surroundings, async (tx) => {
      if (passage.kind === 'wait') return letWait(tx, event, { ...surroundings, error: passage.error })
      deps.failpoints(failpoint.claimed)
      const run: HandlerRun = { incoming, origin: event, attempt: 1, contract, parent }
      const ended = await runHandler(tx, handler, { run, deps })
      if (ended.ok) {
        isHandled = true
        return { ...settled('done', ended.emitted), attempt: 1 }
      }
      if (parent.aborted) throw ended.error
      return recordFailure(tx, event, { ...surroundings, error: ended.error })
    })
  } catch (error) {
    if (!isHandled || parent.aborted || classifyError(error).kind === 'database-lost') throw error
    return whenClaimed(event, surroundings, (tx) => recordFailure(tx, event, { ...surroundings, error }))
  }
}

/** `work` is for the event when it is the caller's and nothing is before it in its lane; behind a savepoint. */
function whenClaimed(
  event: ReceivedEvent,
  { behaviour: { contract }, deps }: Surroundings,
  work: (tx: Transaction) => Promise<DecidedHere>,
): Promise<DecidedHere> {
  const { tracer = noTracer } = deps
  const decided = async (tx: Transaction): Promise<DecidedHere> => {
    const claiming = claim(tx, contract, event)
    const savepoint = tx.query(setSavepoint) // travels with the claim
    savepoint.catch(() => undefined) // it fails when the claim does, whose error tells why
    const claimed = await claiming
    await savepoint
    if (claimed === 'duplicate') return settled('duplicate')
    if (claimed === 'conflict') return buryConflict(tx, event, { contract, deps })
    if (claimed === 'park') {
      await park(tx, contract, { ...event, parking: dueNow })
      return settled('parked')
    }
    return work(tx)
  }
  return inSpan(
    tracer,
    () => ({ name: 'transaction' }),
    () => deps.database.transaction(decided, { mayFollow: true }), // when the connection is lost, the source comes again
  )
}

type Failed = Surroundings & { readonly error: unknown }

async function recordFailure(tx: Transaction, event: ReceivedEvent, failed: Failed): Promise<DecidedHere> {
  const { behaviour, deps, error } = failed
  const { contract } = behaviour
  const attempt = 1
  const failure = judgeFailure({ error, attempt, innocent: circuitOf(failed) !== undefined }, contract, deps)
  if (failure.kind === 'lost' || failure.kind === 'superseded') throw error
  await tx.query('ROLLBACK TO SAVEPOINT handler')
  if (failure.kind === 'wait') return { ...(await letWait(tx, event, failed)), attempt, gaveBack: true }
  const { code, message: reason } = failure
  const ended = { code, reason, attempt, emitted: [] }
  const cause = { cause: code, detail: storable(reason) }
  if (failure.kind === 'dead') {
    const remains = remainsOfEvent(event, { function: contract.name, code, message: reason, attempts: attempt, error })
    return { ...ended, outcome: 'dead', emitted: (await bury(tx, { ...remains, taken: true }, deps)).emitted }
  }
  if (failure.kind === 'hold') {
    await park(tx, contract, { ...event, parking: { attempts: attempt, delayMs: 0, ...cause } })
    const lane = { function: contract.name, key: event.key }
    await holdNewLane(tx, { ...lane, cause: code, fingerprint: fingerprintOf(code, error) })
    return { ...ended, outcome: 'held' }
  }
  const { delayMs } = failure
  await park(tx, contract, { ...event, parking: { attempts: attempt, delayMs, ...cause } })
  return { ...ended, outcome: 'retrying', delayMs }
}

/** At no attempt. What is no breaker of this function's says itself when to come again. */
async function letWait(tx: Transaction, event: ReceivedEvent, failed: Failed): Promise<DecidedHere> {
  const { behaviour, deps, error } = failed
  const { contract, gate } = behaviour
  const circuit = circuitOf(failed)
  const verdict = judgeFailure({ error, attempt: 1, innocent: true }, contract, deps)
  const { code, message: reason } = verdict
  const delayMs = circuit === undefined && verdict.kind === 'wait' ? verdict.delayMs : gate.lookMs()
  const parking = { attempts: 0, delayMs, cause: 'circuit_open', detail: storable(reason) }
  await park(tx, contract, { ...event, parking })
  const waiting = { outcome: 'waiting', code, reason, delayMs, emitted: [] } as const
  if (circuit === undefined) return waiting
  await letNewLaneWait(tx, { function: contract.name, key: event.key, waitsFor: circuit.dependency })
  return { ...waiting, circuit }
}

const circuitOf = ({ behaviour, passage, error }: Failed): Circuit | undefined =>
  (passage.kind === 'go' ? passage.reopened() : undefined) ?? behaviour.gate.refusing(error)

/** The id was taken by an event with other data. The first one stands; this one becomes a dead letter. */
export async function buryConflict(
  tx: Transaction,
  event: ReceivedEvent,
  { contract, deps }: { readonly contract: DeliveryContract; readonly deps: DeliveryDeps },
): Promise<Decided> {
  const reason = 'The id was used before for an event with other data'
  const remains = remainsOfEvent(event, { function: contract.name, code: 'id_conflict', message: reason, attempts: 0 })
  const { isNew, emitted } = await bury(tx, { ...remains, taken: false }, deps)
  return isNew
    ? { outcome: 'dead', code: 'id_conflict', reason, emitted }
    : { outcome: 'duplicate', code: 'id_conflict', emitted }
}
