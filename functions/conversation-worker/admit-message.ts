// A message, or an action that is answered like one, asks for a turn.

import type { ConversationActionRequested, ConversationMessageReceived } from '../../shared/events/index.ts'
import { traceparentHere } from '../../shared/telemetry/index.ts'
import type { Opening, Scene, Turn } from './session-scene.ts'
import { callNext, createTurn, failTurn, queueTurn, startTurn } from './turn-changes.ts'
import { isRunning, transition, type Strategy } from './turn-machine.ts'

/** Actions that are a message in other words. */
export const promptOfAction = {
  summarize: 'Summarize our conversation so far in a few sentences.',
  next_steps: 'List the next steps that follow from our conversation, most important first.',
  status_report: 'Give a short status report: what is done, what is open, what blocks.',
  nudge: 'Please go on from where you stopped.',
} as const satisfies Partial<Record<ConversationActionRequested['action'], string>>

export interface Admission {
  readonly turnId: string
  readonly opening: Opening
  readonly strategy: Strategy
  readonly deadlineMs: number
}

export const openingOfMessage = (eventId: string, type: string, data: ConversationMessageReceived): Opening => ({
  eventId,
  type,
  data,
  text: data.message,
  trace: traceparentHere(),
})

/** Returns whether the turn now thinks. */
export async function admitMessage(
  scene: Scene,
  { turnId, opening, strategy, deadlineMs }: Admission,
): Promise<boolean> {
  const turn = scene.turns.find((known) => known.turnId === turnId) ?? (await createTurn(scene, turnId))
  // The gateway has heard "stop" for it while it was on its way: it ends before it begins.
  if (turn.stopCause !== null && turn.state === 'accepted') {
    await failTurn(scene, turn, { reason: turn.stopCause, detail: 'Stopped before it started', opening })
    callNext(scene)
    return false
  }
  const outcome = transition(turn.state, { kind: 'message', session: sessionState(scene, turn), strategy })
  switch (outcome.kind) {
    case 'queue':
      await queueTurn(scene, turn, opening)
      return false
    case 'start':
      if (outcome.stopOthers) await stopOthers(scene, turn)
      await startTurn(scene, turn, { opening, deadlineMs })
      return true
    case 'fail':
      await failTurn(scene, turn, { reason: 'turn_running', detail: 'Another turn was running', opening })
      return false
    default:
      return false // a repeated message: its turn has gone further
  }
}

function sessionState(scene: Scene, turn: Turn): 'idle' | 'busy' | 'paused' {
  if (scene.paused) return 'paused'
  return scene.turns.some(
    (other) => other.turnId !== turn.turnId && (isRunning(other.state) || other.state === 'queued'),
  )
    ? 'busy'
    : 'idle'
}

// Turns that were accepted later keep their place: their messages come after this one.
async function stopOthers(scene: Scene, { turnId, ordinal }: Turn): Promise<void> {
  const others = scene.turns.filter((other) => other.turnId !== turnId && other.ordinal < ordinal)
  for (const other of others) {
    if (transition(other.state, { kind: 'ended', reason: 'interrupted' }).kind !== 'fail') continue
    await failTurn(scene, other, { reason: 'interrupted', detail: 'A newer message took its place' })
  }
}
