// The second way in: the lane driver offers the head of a lane.
//
// L1  The attempt is counted before the handler runs, in a transaction of its own: a run that kills the process counts.
// L2  Every write of the run, its failure included, is fenced. A run that lost its lane records nothing.
// L3  What is not the event's fault gives the attempt back: a drain that runs out of time, a zombie that still holds the key's
//     lock, a dependency whose breaker is open.
// L4  An event that has waited for a dependency and looks by itself is run (circuit-gate.ts, G2).

import { SluiceError } from '../../errors/index.ts'
import { backoffDelay } from '../../time/index.ts'
import type { Incoming } from '../contract.ts'
import { bury, remainsOfRun } from '../dead-letters/bury.ts'
import { storable } from '../dead-letters/dead-letter.ts'
import type { DeliveryDeps } from '../deps.ts'
import { fingerprintOf } from '../dead-letters/fingerprint.ts'
import { finishRun, holdRun, retryRun, startRun, type AnotherTry, type LaneRun } from '../lanes/lane-run.ts'
import { keepLease } from '../lanes/lease-keeper.ts'
import type { LaneToken } from '../lanes/lane-token.ts'
import type { Emission } from '../outbox/emission.ts'
import type { Behaviour } from './behaviour.ts'
import type { Passage } from './circuit-gate.ts'
import { settled, type Decided } from './decision.ts'
import { judgeFailure, type Failure } from './failure.ts'
import { runStepsFromLane } from './lane-run-steps.ts'
import { runTransactionFromLane } from './lane-run-transaction.ts'

export interface Offered {
  readonly incoming: Incoming
  readonly offer: LaneToken
}

interface Started {
  readonly incoming: Incoming
  readonly run: LaneRun
}

/** Throws what kept it from recording anything; the lease runs out then. */
export async function runFromLane(
  { incoming, offer }: Offered,
  behaviour: Behaviour,
  deps: DeliveryDeps,
): Promise<Decided> {
  const { name, delivery } = behaviour.contract
  const run = await startRun(deps.database, offer, { function: name, maxAttempts: delivery.attempts })
  if (run === undefined) return settled('stale')
  const passage = behaviour.gate.enter()
  try {
    if (run.exhausted) throw endedWithoutAWord(run)
    if (passage.kind === 'wait' && !(passage.mayLook && run.cause === 'circuit_open')) throw passage.error
    const emitted = await runLeased({ incoming, run }, behaviour, deps)
    return { ...settled('done', emitted), attempt: run.attempts }
  } catch (error) {
    return await recordFailure({ run, error, passage }, behaviour, deps)
  } finally {
    if (passage.kind === 'go') passage.leave()
  }
}

async function runLeased(
  { incoming, run }: Started,
  behaviour: Behaviour,
  deps: DeliveryDeps,
): Promise<readonly Emission[]> {
  if (incoming.event.source !== run.source || incoming.event.id !== run.id) {
    throw new SluiceError('internal', `The lane offered event ${run.id}, but another one arrived`)
  }
  const lease = keepLease(run, deps)
  const parent = AbortSignal.any([behaviour.parent, lease.signal])
  try {
    if (behaviour.execution === 'transaction') {
      return await runTransactionFromLane({ incoming, run }, { ...behaviour, parent }, deps)
    }
    await runStepsFromLane({ incoming, run }, { ...behaviour, parent }, deps)
    return []
  } finally {
    lease.stop()
  }
}

const endedWithoutAWord = ({ cause }: LaneRun): SluiceError => {
  const before = cause === null ? '' : `; an earlier one failed with ${cause}`
  return new SluiceError('attempts_exhausted', `The last run ended without a word, as when its process dies${before}`)
}

interface Failed {
  readonly run: LaneRun
  readonly error: unknown
}

type FailedPassage = Failed & { readonly passage: Passage }

async function recordFailure(failed: FailedPassage, behaviour: Behaviour, deps: DeliveryDeps): Promise<Decided> {
  const { run, error, passage } = failed
  const { gate, contract } = behaviour
  const circuit = (passage.kind === 'go' ? passage.reopened() : undefined) ?? gate.refusing(error)
  const attempt = run.attempts
  const failure = judgeFailure({ error, attempt, innocent: circuit !== undefined }, contract, deps)
  const { code, message: reason } = failure
  const ended = { code, reason, emitted: [], ...(passage.kind === 'wait' ? {} : { attempt }) }
  const released = behaviour.parent.aborted
  try {
    if (failure.kind === 'superseded') return { ...ended, outcome: 'stale' }
    if (failure.kind === 'dead' && !released)
      return { ...ended, outcome: 'dead', emitted: await buryRun({ ...failed, code, reason }, deps) }
    if (failure.kind === 'hold' && !released) {
      const hold = { cause: code, detail: storable(reason), fingerprint: fingerprintOf(code, error) }
      await holdRun(deps.database, run, hold)
      return { ...ended, outcome: 'held' }
    }
    if (failure.kind === 'wait' && !released) {
      const delayMs = circuit === undefined ? failure.delayMs : gate.lookMs()
      const waitsFor = circuit === undefined ? {} : { waitsFor: circuit.dependency }
      const cause = { cause: 'circuit_open', detail: storable(reason) }
      await retryRun(deps.database, run, { delayMs, counts: false, ...cause, ...waitsFor })
      if (circuit !== undefined) gate.waits(circuit)
      return { ...ended, outcome: 'waiting', delayMs, gaveBack: true }
    }
    const another = released ? givenBack : anotherTry(failure, run, { contract, random: deps.random })
    await retryRun(deps.database, run, another)
    return { ...ended, outcome: 'retrying', delayMs: another.delayMs, gaveBack: !another.counts }
  } catch (error) {
    // The run's transaction may have committed although its answer was lost: then the lane is not this run's any more.
    if (isLeaseLost(error)) return { ...ended, outcome: 'stale', code: 'lease_lost' }
    throw error
  }
}

const givenBack: AnotherTry = {
  delayMs: 0,
  counts: false,
  cause: 'draining',
  detail: 'Given back by a drain that ran out of time',
}

/** A lost database, too, is worth a try at once: its fault may have been this transaction's. */
function anotherTry(
  failure: Failure,
  run: LaneRun,
  { contract, random }: Pick<Behaviour, 'contract'> & Pick<DeliveryDeps, 'random'>,
): AnotherTry {
  const delayMs =
    failure.kind === 'retry' ? failure.delayMs : backoffDelay(contract.delivery.backoff, run.attempts, random)
  return { delayMs, counts: failure.code !== 'lane_busy', cause: failure.code, detail: storable(failure.message) }
}

interface Dead extends Failed {
  readonly code: Failure['code']
  readonly reason: string
}

async function buryRun({ run, error, code, reason }: Dead, deps: DeliveryDeps): Promise<readonly Emission[]> {
  return deps.database.transaction(async (tx) => {
    await finishRun(tx, run, 'dead')
    const cause = { function: run.function, code, message: reason, attempts: run.attempts, error }
    const { emitted } = await bury(tx, { ...remainsOfRun(run, cause), taken: true }, deps)
    return emitted
  })
}

const isLeaseLost = (error: unknown): boolean => error instanceof SluiceError && error.code === 'lease_lost'
