// Leads a thinking turn to where it must wait or end: model → tools? → model … The state is read anew before each call, so a
// run that begins after a crash finds where the last one came to.

import type { Queryable } from '../../shared/database/index.ts'
import type { StepsContext } from '../../shared/delivery/index.ts'
import { messageOf, RetryLaterError, SluiceError } from '../../shared/errors/index.ts'
import { conversationTurnProgressed } from '../../shared/events/index.ts'
import type { MemoryWrite } from '../../shared/memory/index.ts'
import type { ModelAnswer } from '../../shared/model/index.ts'
import type { Tracer } from '../../shared/telemetry/index.ts'
import { askForTools } from './ask-for-tools.ts'
import { askModel, profileOf, type AskDeps, type Asked } from './ask-model.ts'
import type { ChangeSession, ChangeTarget } from './change-session.ts'
import { conversationWorker } from './function.ts'
import { judgeModelFailure } from './model-failure.ts'
import type { RememberTurns } from './remember-turns.ts'
import type { Scene, Turn } from './session-scene.ts'
import { openCalls, planCalls, type PlannedCall } from './tool-calls.ts'
import { announce, callNext, completeTurn, failTurn, type FailReason } from './turn-changes.ts'
import { transition } from './turn-machine.ts'
import type { TurnStops } from './turn-stops.ts'
import { inTurnSpan } from './turn-span.ts'
import { readTurn, type TurnView } from './turn-view.ts'

export interface LeadDeps extends AskDeps {
  readonly database: Queryable
  readonly stops: Pick<TurnStops, 'watch'>
  readonly change: ChangeSession
  readonly random: () => number
  readonly remember: Pick<RememberTurns, 'store' | 'send'>
  /** Overrides the profile's model. '' leaves it. */
  readonly modelName: string
  /** Default: nobody records spans. */
  readonly tracer?: Tracer
}

/** Longest answer kept, in characters: what the event takes. */
const answerChars = 131_072

export type LeadTurn = (context: StepsContext, target: ChangeTarget) => Promise<void>

export function createLeadTurn(deps: LeadDeps): LeadTurn {
  const { database, stops, change, modelName, remember } = deps

  async function lead(context: StepsContext, target: ChangeTarget): Promise<void> {
    let goesOn = true
    while (goesOn) {
      const watch = stops.watch(target.key, target.turnId) // before the row is read, or a stop could fall between
      try {
        const view = await readTurn(database, target.key, target.turnId)
        if (view?.state !== 'thinking') return // an earlier run brought it there
        const asked = await ask(context, target, { view, stop: watch.signal })
        goesOn = await settle(context, target, { view, asked })
      } finally {
        watch.end()
      }
    }
  }

  async function ask(
    context: StepsContext,
    { key, turnId }: ChangeTarget,
    { view, stop }: Pick<Parameters<typeof askModel>[1], 'view' | 'stop'>,
  ): Promise<Asked> {
    if (view.stopCause !== null) return { kind: 'stopped' }
    if (view.remainingMs <= 0)
      return { kind: 'failed', error: new SluiceError('deadline_exceeded', 'The turn took too long') }
    return askModel(context, { key, turnId, view, stop, modelName }, deps)
  }

  /** Returns whether the model is asked again in this run. */
  async function settle(
    context: StepsContext,
    target: ChangeTarget,
    { view, asked }: { readonly view: TurnView; readonly asked: Asked },
  ): Promise<boolean> {
    if (asked.kind === 'answered') return settleAnswer(context, target, { view, answer: asked.answer })
    if (asked.kind === 'failed') await retryOrFail(context, target, { view, error: asked.error })
    else await end(context, target, { reason: 'cancelled', detail: 'Stopped on request' })
    return false
  }

  async function settleAnswer(
    context: StepsContext,
    target: ChangeTarget,
    { view, answer }: { readonly view: TurnView; readonly answer: ModelAnswer },
  ): Promise<boolean> {
    const round = view.rounds + 1
    const calls = planCalls(answer.toolCalls, {
      round,
      catalog: new Map(view.tools.map(({ name, enabled }) => [name, enabled])),
    })
    const open = openCalls(calls)
    const { maxToolRounds } = profileOf(view)
    let write: MemoryWrite | undefined
    const apply = async (scene: Scene): Promise<boolean> => {
      const { turnId } = target
      const thinksAgain = await applyAnswer(scene, { turnId, answer, calls, open, maxToolRounds })
      const turn = scene.turns.find((one) => one.turnId === turnId)
      if (turn?.state === 'completed') {
        write = await remember.store(scene.tx, { ...turn, key: target.key, answer: storable(answer.text) })
      }
      return thinksAgain
    }
    // Nothing to wait for: the model hears at once why its calls came to nothing.
    if (calls.length > 0 && open === 0 && view.rounds < maxToolRounds) {
      return change((work) => context.transaction(`round-${round}`, work), target, apply)
    }
    await change(context.commit, target, apply)
    if (write !== undefined) remember.send(write)
    return false
  }

  async function retryOrFail(
    context: StepsContext,
    target: ChangeTarget,
    { view, error }: { readonly view: TurnView; readonly error: unknown },
  ): Promise<void> {
    const { attempts, backoff } = conversationWorker.delivery
    const verdict = judgeModelFailure(error, {
      attempt: context.attempt,
      attempts,
      backoff,
      remainingMs: view.remainingMs,
      random: deps.random,
    })
    context.log.warn({ err: error, verdict: verdict.kind, reason: verdict.reason }, 'a model call failed')
    if (verdict.kind === 'wait') throw error
    if (verdict.kind === 'fail') return end(context, target, { reason: verdict.reason, detail: detailOf(error) })
    const { key, turnId } = target
    await change(
      (work) => context.transaction(`model-retried-${context.attempt}`, work),
      target,
      async (scene) => {
        announce(scene, conversationTurnProgressed, {
          session_id: key.sessionId,
          turn_id: turnId,
          phase: 'model-retried',
          detail: verdict.reason,
        })
      },
    )
    throw new RetryLaterError({ afterMs: verdict.afterMs, reason: `The model failed: ${verdict.reason}`, cause: error })
  }

  const end = async (context: StepsContext, target: ChangeTarget, ending: Ending): Promise<void> =>
    change(context.commit, target, (scene) => endTurn(scene, target.turnId, ending))

  return (context, target) => inTurnSpan(target, deps, () => lead(context, target))
}

export interface Ending {
  readonly reason: FailReason
  readonly detail: string
}

/** Ends the turn, unless it has ended. Someone who asked for the end is named before whatever else went wrong. */
export async function endTurn(scene: Scene, turnId: string, { reason, detail }: Ending): Promise<void> {
  const turn = scene.turns.find((one) => one.turnId === turnId)
  if (turn === undefined || transition(turn.state, { kind: 'ended', reason }).kind !== 'fail') return
  await failTurn(scene, turn, { reason: turn.stopCause ?? reason, detail })
  callNext(scene)
}

interface AppliedAnswer {
  readonly turnId: string
  readonly answer: ModelAnswer
  readonly calls: readonly PlannedCall[]
  readonly open: number
  readonly maxToolRounds: number
}

async function applyAnswer(
  scene: Scene,
  { turnId, answer, calls, open, maxToolRounds }: AppliedAnswer,
): Promise<boolean> {
  const turn = scene.turns.find((one) => one.turnId === turnId)
  if (turn === undefined) return false
  if (turn.stopCause !== null) {
    await endTurn(scene, turnId, { reason: turn.stopCause, detail: 'Stopped on request' })
    return false
  }
  const outcome = transition(
    turn.state,
    calls.length === 0
      ? { kind: 'answered' }
      : { kind: 'asked-for-tools', open, rounds: turn.rounds, maxRounds: maxToolRounds },
  )
  switch (outcome.kind) {
    case 'complete':
      await complete(scene, turn, answer)
      return false
    case 'wait-for-tools':
      await askForTools(scene, turn, {
        text: storable(answer.text),
        usage: answer.usage,
        calls,
        state: 'awaiting-tools',
      })
      return false
    case 'think-again':
      await askForTools(scene, turn, { text: storable(answer.text), usage: answer.usage, calls, state: 'thinking' })
      return true
    case 'fail':
      await endTurn(scene, turnId, {
        reason: 'tool_rounds_exceeded',
        detail: `The model asked for tools more than ${maxToolRounds} times`,
      })
      return false
    default:
      return false
  }
}

async function complete(scene: Scene, turn: Turn, { text, model, usage }: ModelAnswer): Promise<void> {
  await completeTurn(scene, turn, {
    text: storable(text),
    model: model === '' ? 'unknown' : storable(model).slice(0, 200),
    usage,
  })
  callNext(scene)
}

/** Postgres takes neither NUL nor lone surrogates. */
const storable = (text: string): string => text.slice(0, answerChars).replaceAll('\u0000', '').toWellFormed()

const detailOf = (error: unknown): string =>
  error instanceof SluiceError ? messageOf(error).slice(0, 2_000) : 'Something unexpected went wrong'
