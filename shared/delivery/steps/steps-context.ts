// The context of a `steps` handler.
//
//   open ──commit succeeds──▶ committed          open ──commit throws──▶ failed ──commit succeeds──▶ committed
//   returning while open settles the event; returning while failed throws what commit threw.
//
// S1  After a commit nothing more is journalled or written for the event.
// S2  Whatever the handler still does after its run is over writes nothing: every write is fenced, and closed here first.

import type { Transaction } from '../../database/index.ts'
import { SluiceError } from '../../errors/index.ts'
import { inSpan, noTracer } from '../../telemetry/index.ts'
import type { DeliveryDeps } from '../deps.ts'
import { failpoint } from '../failpoints.ts'
import type { Effects, OnceOutcome, Step, StepEffect, StepRun, StepsContext } from '../handler.ts'
import { finishRun, type LaneRun } from '../lanes/lane-run.ts'
import type { Emission, EmissionsOptions } from '../outbox/emission.ts'
import { openEffects } from '../runs/effects.ts'
import { findFinishedStep, finishStep, idempotencyKeyOf, resultJson, resultOf, startStep } from './journal.ts'

export interface StepsOptions extends EmissionsOptions {
  readonly run: LaneRun
  readonly signal: AbortSignal
  /** Called after each COMMIT with what is to be published. */
  readonly onCommitted: (emitted: readonly Emission[]) => void
}

export interface Steps extends Pick<StepsContext, 'step' | 'transaction' | 'commit'> {
  /** The handler returned: settles the event, unless it is committed. */
  readonly settle: () => Promise<void>
  readonly close: () => void
}

type Phase = { readonly name: 'open' | 'committed' | 'closed' } | { readonly name: 'failed'; readonly error: unknown }

export function createSteps(
  { run, signal, onCommitted, ...emissions }: StepsOptions,
  deps: Pick<DeliveryDeps, 'database' | 'outbox' | 'clock' | 'failpoints' | 'tracer'>,
): Steps {
  const { database, failpoints, tracer = noTracer } = deps
  const running = new Set<string>()
  let phase: Phase = { name: 'open' }

  function refuseWhenOver(): void {
    signal.throwIfAborted()
    if (phase.name === 'committed' || phase.name === 'closed') {
      throw new SluiceError('internal', `The run is ${phase.name}; a step after that would never be journalled`)
    }
  }

  async function alone<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
    refuseWhenOver()
    if (running.has(name))
      throw new SluiceError('internal', `Step '${name}' is running already; give each step its own name`)
    running.add(name)
    try {
      return await work()
    } finally {
      running.delete(name)
    }
  }

  async function journalled(
    name: string,
    effect: StepEffect,
    fn: (run: StepRun) => Promise<unknown>,
  ): Promise<OnceOutcome<unknown>> {
    const start = await startStep(database, run, { name, effect })
    if (start.decision === 'unknown') return { outcome: 'unknown' }
    if (start.decision === 'done') return { outcome: 'known', value: resultOf(start.result) }
    failpoints(failpoint.stepAfterStart)
    const value = await fn({ idempotencyKey: idempotencyKeyOf(run, name), signal })
    failpoints(failpoint.stepAfterRun)
    // Also when time is up: a result that is known is worth keeping, and SQL refuses it when the lane is lost.
    const result = resultJson(name, value)
    await finishStep(database, run, { name, effect, result })
    return { outcome: 'known', value: resultOf(result) }
  }

  const step = (async (
    name: string,
    { effect }: { readonly effect: StepEffect },
    fn: (run: StepRun) => Promise<unknown>,
  ) => {
    const describe = () => ({ name: `step ${name}`, attributes: { 'sluice.step.effect': effect } })
    const outcome = await alone(name, () => inSpan(tracer, describe, () => journalled(name, effect, fn)))
    if (effect === 'once') return outcome
    return outcome.outcome === 'known' ? outcome.value : undefined // only `once` steps have an unknown end
  }) as Step

  /** Effects, emissions and `end` in one transaction. */
  async function withEffects<Result>(
    fn: (effects: Effects) => Promise<Result>,
    end: (tx: Transaction, result: Result) => Promise<void>,
  ): Promise<Result> {
    const { result, emitted } = await database.transaction(async (tx) => {
      const open = openEffects(tx, emissions, deps)
      const stopListening = closeOn(signal, open.close)
      try {
        const result = await fn(open.effects)
        refuseWhenOver()
        await end(tx, result)
        return { result, emitted: open.store().emitted }
      } finally {
        stopListening()
        open.close()
      }
    })
    onCommitted(emitted)
    failpoints(failpoint.afterCommit)
    return result
  }

  async function transactionStep<Result>(name: string, fn: (effects: Effects) => Promise<Result>): Promise<Result> {
    const effect = 'transaction'
    const found = await findFinishedStep(database, run, { name, effect })
    if (found.decision === 'done') return resultOf(found.result) as Result
    const result = await withEffects(fn, (tx, value) =>
      finishStep(tx, run, { name, effect, result: resultJson(name, value) }),
    )
    return resultOf(resultJson(name, result)) as Result
  }

  const commit: StepsContext['commit'] = async (fn) => {
    refuseWhenOver()
    try {
      const result = await withEffects(fn, (tx) => finishRun(tx, run, 'done'))
      phase = { name: 'committed' }
      return result
    } catch (error) {
      phase = { name: 'failed', error }
      throw error
    }
  }

  return {
    step,
    transaction: (name, fn) =>
      alone(name, () =>
        inSpan(
          tracer,
          () => ({ name: `transaction ${name}` }),
          () => transactionStep(name, fn),
        ),
      ),
    commit: (fn) =>
      inSpan(
        tracer,
        () => ({ name: 'transaction commit' }),
        () => commit(fn),
      ),
    settle: async () => {
      if (phase.name === 'failed') throw phase.error
      if (phase.name === 'committed') return
      failpoints(failpoint.beforeCommit)
      await finishRun(database, run, 'done')
      failpoints(failpoint.afterCommit)
      phase = { name: 'committed' }
    },
    close: () => {
      if (phase.name !== 'committed') phase = { name: 'closed' }
    },
  }
}

function closeOn(signal: AbortSignal, close: () => void): () => void {
  signal.addEventListener('abort', close, { once: true })
  return () => signal.removeEventListener('abort', close)
}
