// A dry run, in the process of the function: the handler runs as it would, inside a transaction that is always rolled back.
//
// N1  Nothing stays: no effect, no emission, no inbox row, no attempt, no journal entry – only the report.
// N2  The key's lane is not entered and not held up. What the handler locks is locked until the rollback.
// N3  What a handler does outside its context happens also here; contracts forbid it.

import type { Transaction } from '../../database/index.ts'
import { SluiceError } from '../../errors/index.ts'
import type { Incoming } from '../contract.ts'
import { fingerprintOf } from '../dead-letters/fingerprint.ts'
import type { DeliveryDeps } from '../deps.ts'
import { laneKeyOf } from '../inbox/lane-key.ts'
import type { Emission } from '../outbox/emission.ts'
import { chainAfter } from '../outbox/hops.ts'
import type { Behaviour, StepsBehaviour, TransactionBehaviour } from '../runs/behaviour.ts'
import { guardTransaction } from '../runs/guarded-transaction.ts'
import { judgeFailure } from '../runs/failure.ts'
import { deliveryOrigin, runHandler, type HandlerRun } from '../runs/run-handler.ts'
import { withinTimeLimit } from '../runs/time-limit.ts'
import type { DryRunReport, DryStep } from './dry-run-report.ts'
import { createDrySteps } from './dry-steps.ts'

interface Rehearsal {
  readonly emitted: readonly Emission[]
  readonly steps: readonly DryStep[]
  readonly ended: { readonly kind: 'done' | 'stopped' } | { readonly kind: 'failed'; readonly error: unknown }
}

/** @throws SluiceError `database_unavailable`. */
export async function rehearse(incoming: Incoming, behaviour: Behaviour, deps: DeliveryDeps): Promise<DryRunReport> {
  const begun = deps.clock.monotonic()
  const { emitted, steps, ended } = await undone(deps, (tx) =>
    behaviour.execution === 'transaction'
      ? rehearseTransaction(tx, incoming, { behaviour, deps })
      : rehearseSteps(tx, incoming, { behaviour, deps }),
  )
  return {
    outcome: ended.kind,
    ...(ended.kind === 'failed' ? { failure: failureOf(ended.error, behaviour, deps) } : {}),
    emissions: emitted.map(({ topic, key, json }) => ({ topic, key, event: JSON.parse(json) as unknown })),
    steps,
    ms: Math.round(deps.clock.monotonic() - begun),
  }
}

/** Runs `work` in a transaction that is rolled back whatever it does. */
async function undone(
  { database }: Pick<DeliveryDeps, 'database'>,
  work: (tx: Transaction) => Promise<Rehearsal>,
): Promise<Rehearsal> {
  const rollback = new SluiceError('aborted', 'A dry run keeps nothing')
  let rehearsal: Rehearsal | undefined
  try {
    return await database.transaction(async (tx) => {
      rehearsal = await work(tx)
      throw rollback
    })
  } catch (error) {
    if (error === rollback && rehearsal !== undefined) return rehearsal
    throw error
  }
}

interface Rehearsing<B extends Behaviour> {
  readonly behaviour: B
  readonly deps: DeliveryDeps
}

async function rehearseTransaction(
  tx: Transaction,
  incoming: Incoming,
  { behaviour, deps }: Rehearsing<TransactionBehaviour>,
): Promise<Rehearsal> {
  const { contract, handler, parent } = behaviour
  const { source, id } = incoming.event
  const origin = { source, id, key: laneKeyOf(incoming, contract.ordering) }
  // A constraint that is deferred to COMMIT would never be looked at otherwise.
  const end = async (): Promise<void> => void (await tx.query('SET CONSTRAINTS ALL IMMEDIATE'))
  const run: HandlerRun = { incoming, origin, attempt: 1, contract, parent, end }
  const ended = await runHandler(tx, handler, { run, deps })
  if (!ended.ok) return { emitted: [], steps: [], ended: { kind: 'failed', error: ended.error } }
  try {
    await ended.storing
    return { emitted: ended.emitted, steps: [], ended: { kind: 'done' } }
  } catch (error) {
    return { emitted: [], steps: [], ended: { kind: 'failed', error } }
  }
}

async function rehearseSteps(
  tx: Transaction,
  incoming: Incoming,
  { behaviour, deps }: Rehearsing<StepsBehaviour>,
): Promise<Rehearsal> {
  const { contract, handler, parent } = behaviour
  const { name, produces, delivery, ordering } = contract
  const { source, id } = incoming.event
  const { tenant = '' } = incoming
  const origin = { source, id, key: laneKeyOf(incoming, ordering) }
  const stopping = new AbortController()
  const limit = { ms: delivery.timeoutMs, what: `The handler of ${name}` }
  const event = { function: name, source, id }
  const log = deps.log.child({ event_id: id, dry_run: true })
  // A step that reads may take longer than a transaction is usually allowed to stand idle.
  await tx.query(`SET LOCAL idle_in_transaction_session_timeout = ${delivery.timeoutMs + 5_000}`)
  const facts = { log, attempt: 1, tenant, delivery: deliveryOrigin(incoming, origin) }
  const guard = guardTransaction(tx)
  let dry: ReturnType<typeof createDrySteps> | undefined
  let ended: Rehearsal['ended'] = { kind: 'done' }
  try {
    await withinTimeLimit({ ...limit, parent: AbortSignal.any([parent, stopping.signal]) }, deps, async (signal) => {
      const stop = (reason: Error): void => stopping.abort(reason)
      const chain = chainAfter(incoming.event, deps)
      dry = createDrySteps(guard.tx, { event, signal, stop, function: name, produces, tenant, chain }, deps)
      const { step, transaction, commit } = dry
      await handler(incoming.event, { ...facts, signal, step, transaction, commit })
      await guard.tx.query('SET CONSTRAINTS ALL IMMEDIATE')
    })
  } catch (error) {
    ended = stopping.signal.aborted ? { kind: 'stopped' } : { kind: 'failed', error }
  } finally {
    guard.close()
  }
  return { emitted: dry?.emitted ?? [], steps: dry?.steps ?? [], ended }
}

function failureOf(
  error: unknown,
  { contract }: Behaviour,
  deps: Pick<DeliveryDeps, 'random' | 'redact'>,
): NonNullable<DryRunReport['failure']> {
  const failure = judgeFailure({ error, attempt: 1 }, contract, deps)
  if (failure.kind === 'lost') throw error
  const { code, message } = failure
  return { code, message, fingerprint: fingerprintOf(code, error), becomes: failure.kind === 'dead' ? 'dead' : 'retry' }
}
