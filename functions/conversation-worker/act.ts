// Actions that change the course of a conversation without a message: cancel, pause, resume.

import type { ConversationActionRequested } from '../../shared/events/index.ts'
import type { Scene, Turn } from './session-scene.ts'
import { callNext, failTurn, startTurn } from './turn-changes.ts'
import { hasEnded, isRunning, transition } from './turn-machine.ts'

type Action = Extract<ConversationActionRequested['action'], 'cancel' | 'pause' | 'resume'>

export interface ActOptions {
  readonly action: Action
  readonly turnId: string | undefined
  readonly deadlineMs: number
}

/** Returns the turn that now thinks, if one was started. */
export async function act(scene: Scene, { action, turnId, deadlineMs }: ActOptions): Promise<string | undefined> {
  if (action === 'cancel') return cancel(scene, turnId)
  if (action === 'pause') return setPaused(scene, true)
  if (turnId !== undefined) return lookAgain(scene, turnId, deadlineMs)
  await setPaused(scene, false)
  return startNext({ ...scene, paused: false }, deadlineMs)
}

async function cancel(scene: Scene, turnId: string | undefined): Promise<undefined> {
  const open = scene.turns.filter(({ state }) => !hasEnded(state))
  const turn =
    turnId === undefined
      ? (open.find(({ state }) => isRunning(state)) ?? open[0])
      : open.find((one) => one.turnId === turnId)
  if (turn === undefined) return undefined
  await failTurn(scene, turn, { reason: turn.stopCause ?? 'cancelled', detail: 'Cancelled on request' })
  callNext(scene)
  return undefined
}

async function setPaused(scene: Scene, paused: boolean): Promise<undefined> {
  await scene.tx.query(pauseSql, [scene.key.tenant, scene.key.sessionId, paused])
  return undefined
}

/**
 * `resume` of one turn comes from the platform itself: the turn before it ended, or the sweeper found it overdue. Whatever is
 * true of the turn by now decides.
 */
async function lookAgain(scene: Scene, turnId: string, deadlineMs: number): Promise<string | undefined> {
  const turn = scene.turns.find((one) => one.turnId === turnId)
  if (turn === undefined || hasEnded(turn.state)) return undefined
  const reason = whyOver(turn)
  if (reason === undefined) return startNext(scene, deadlineMs)
  await failTurn(scene, turn, {
    reason,
    detail: reason === 'internal' ? 'Its message could not be handled' : 'The turn took too long',
  })
  callNext(scene)
  return undefined
}

function whyOver({
  state,
  stopCause,
  overdue,
}: Turn): 'internal' | 'deadline_exceeded' | 'interrupted' | 'cancelled' | undefined {
  if (stopCause !== null) return stopCause
  if (overdue) return 'deadline_exceeded'
  // Its message precedes this event in the lane, so it was handled already – and has become a dead letter.
  return state === 'accepted' ? 'internal' : undefined
}

async function startNext(scene: Scene, deadlineMs: number): Promise<string | undefined> {
  if (scene.paused || scene.turns.some(({ state }) => isRunning(state))) return undefined
  for (const turn of scene.turns) {
    if (turn.opening === null || transition(turn.state, { kind: 'place-came' }).kind !== 'start') continue
    if (turn.stopCause === null) {
      await startTurn(scene, turn, { opening: turn.opening, deadlineMs })
      return turn.turnId
    }
    await failTurn(scene, turn, { reason: turn.stopCause, detail: 'Stopped while it waited' })
  }
  return undefined
}

const pauseSql = `UPDATE agent.session SET paused = $3 WHERE tenant = $1 AND session_id = $2`
