// The context of a `steps` handler in a dry run: one transaction for all that it writes, which is rolled back in the end.
//
// Y1  Steps that touch the outside (`idempotent`, `once`) are not executed: a journalled result is used, else the run stops there.
// Y2  Nothing is journalled. `read` steps run; `transaction` steps and the commit run one after the other behind savepoints.
// Y3  After it stopped every further step throws, whatever the handler caught.

import type { Transaction } from '../../database/index.ts'
import { SluiceError } from '../../errors/index.ts'
import type { DeliveryDeps } from '../deps.ts'
import type { Effects, OnceOutcome, Step, StepEffect, StepRun, StepsContext } from '../handler.ts'
import type { Emission, EmissionsOptions } from '../outbox/emission.ts'
import { openEffects } from '../runs/effects.ts'
import { idempotencyKeyOf, resultJson, resultOf } from '../steps/journal.ts'
import type { DryStep } from './dry-run-report.ts'
import type { RehearsedEvent } from './dry-run-token.ts'

export interface DryStepsOptions extends EmissionsOptions {
  readonly event: RehearsedEvent
  readonly signal: AbortSignal
  /** Ends the run: a step was reached that a dry run does not execute. */
  readonly stop: (reason: Error) => void
}

export interface DrySteps extends Pick<StepsContext, 'step' | 'transaction' | 'commit'> {
  readonly steps: readonly DryStep[]
  readonly emitted: readonly Emission[]
}

interface Journalled {
  readonly effect: DryStep['effect']
  readonly state: 'started' | 'done'
  readonly result: string | null
}

const findSql = `SELECT effect, state, result::text FROM sluice.step
WHERE function = $1 AND source = $2 AND id = $3 AND name = $4`

/** `tx` refuses when the run is over, so that a handler that goes on cannot reach the connection any more. */
export function createDrySteps(
  tx: Transaction,
  { event, signal, stop, ...emissions }: DryStepsOptions,
  deps: Pick<DeliveryDeps, 'clock' | 'outbox' | 'failpoints'>,
): DrySteps {
  const steps: DryStep[] = []
  const emitted: Emission[] = []
  let turn: Promise<unknown> = Promise.resolve()

  /** Savepoints of one transaction cannot interleave. */
  function inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const mine = turn.then(() => {
      signal.throwIfAborted()
      return work()
    })
    turn = mine.catch(() => undefined)
    return mine
  }

  async function journalled(name: string): Promise<Journalled | undefined> {
    const { rows } = await tx.query<Journalled>(findSql, [event.function, event.source, event.id, name])
    return rows[0]
  }

  async function noted<Result>(name: string, effect: DryStep['effect'], work: () => Promise<Result>): Promise<Result> {
    try {
      const result = await work()
      steps.push({ name, effect, taken: 'ran' })
      return result
    } catch (error) {
      if (!signal.aborted) steps.push({ name, effect, taken: 'failed' })
      throw error
    }
  }

  async function taken(name: string, effect: StepEffect, fn: (run: StepRun) => Promise<unknown>) {
    const known = await inTurn(() => journalled(name))
    if (known?.state === 'done') {
      steps.push({ name, effect, taken: 'journalled' })
      return { outcome: 'known', value: resultOf(known.result) } as const
    }
    if (effect === 'once' && known !== undefined) {
      steps.push({ name, effect, taken: 'unknown' })
      return { outcome: 'unknown' } as const
    }
    if (effect === 'read') {
      const run = { idempotencyKey: idempotencyKeyOf(event, name), signal }
      const value = await noted(name, effect, () => fn(run))
      return { outcome: 'known', value: resultOf(resultJson(name, value)) } as const
    }
    steps.push({ name, effect, taken: 'not-executed' })
    const reason = new SluiceError('aborted', `A dry run does not execute step '${name}', whose effect is '${effect}'`)
    stop(reason)
    throw reason
  }

  const step = (async (
    name: string,
    { effect }: { readonly effect: StepEffect },
    fn: (run: StepRun) => Promise<unknown>,
  ) => {
    const outcome: OnceOutcome<unknown> = await taken(name, effect, fn)
    if (effect === 'once') return outcome
    return outcome.outcome === 'known' ? outcome.value : undefined
  }) as Step

  async function withEffects<Result>(fn: (effects: Effects) => Promise<Result>): Promise<Result> {
    await tx.query('SAVEPOINT dry_step')
    const open = openEffects(tx, emissions, deps)
    try {
      const result = await fn(open.effects)
      signal.throwIfAborted()
      const stored = open.store()
      await stored.storing
      emitted.push(...stored.emitted)
      await tx.query('RELEASE SAVEPOINT dry_step')
      return result
    } catch (error) {
      open.close()
      await tx.query('ROLLBACK TO SAVEPOINT dry_step; RELEASE SAVEPOINT dry_step')
      throw error
    }
  }

  return {
    steps,
    emitted,
    step,
    transaction: (name, fn) =>
      inTurn(async () => {
        const known = await journalled(name)
        if (known?.state !== 'done') return noted(name, 'transaction', () => withEffects(fn))
        steps.push({ name, effect: 'transaction', taken: 'journalled' })
        return resultOf(known.result) as never
      }),
    commit: (fn) => inTurn(() => noted('commit', 'transaction', () => withEffects(fn))),
  }
}
