// Every event of a conversation: first what it changes, in one transaction; then, if a turn thinks now, the model.
//
// H1  A run of a `thinking` turn ends with the turn waiting for tools, ended, or to be tried again. When an event's last
//     attempt fails, the turn fails with it: the client always gets an end. (The sweeper of outbox-sync catches the rest.)

import type { StepsContext } from '../../shared/delivery/index.ts'
import { SluiceError } from '../../shared/errors/index.ts'
import type { CloudEvent, ConversationActionRequested } from '../../shared/events/index.ts'
import type { Handler } from '../../shared/function/index.ts'
import { traceparentHere } from '../../shared/telemetry/index.ts'
import { act } from './act.ts'
import { admitMessage, openingOfMessage, promptOfAction, type Admission } from './admit-message.ts'
import type { ChangeSession } from './change-session.ts'
import { conversationWorker } from './function.ts'
import { endTurn, type LeadTurn } from './lead-turn.ts'
import { recordResult } from './record-result.ts'

export interface Deps {
  readonly change: ChangeSession
  readonly leadTurn: LeadTurn
  /** From its start to the end of a turn, in milliseconds. */
  readonly turnDeadlineMs: number
}

type ConversationEvent = Parameters<Handler<typeof conversationWorker>>[0]

export function createHandler({
  change,
  leadTurn,
  turnDeadlineMs: deadlineMs,
}: Deps): Handler<typeof conversationWorker> {
  return async (event, context) => {
    const turnId = await applyEvent(event, context)
    if (turnId === null) return
    const target = { key: { tenant: context.tenant, sessionId: event.data.session_id }, turnId }
    try {
      await leadTurn(context, target)
    } catch (error) {
      if (context.signal.aborted || context.attempt < conversationWorker.delivery.attempts || leavesTurn(error))
        throw error
      context.log.error({ err: error }, 'the turn failed with the last attempt of its event')
      const ending = { reason: 'attempts_exhausted', detail: 'The turn could not be led to an end' } as const
      await change(context.commit, target, (scene) => endTurn(scene, turnId, ending))
    }
  }

  /** Returns the turn that thinks now, if any. A finished transaction is not repeated: after a crash its result stands. */
  function applyEvent(event: ConversationEvent, context: StepsContext): Promise<string | null> {
    const { session_id: sessionId, turn_id: turnId = '' } = event.data
    const target = { key: { tenant: context.tenant, sessionId }, turnId }
    return change(
      (work) => context.transaction('apply', work),
      target,
      async (scene): Promise<string | null> => {
        switch (event.type) {
          case 'tool.call.finished.v1':
            return (await recordResult(scene, event.data)) ? event.data.turn_id : null
          case 'conversation.message.received.v1': {
            const { strategy = 'enqueue' } = event.data
            const opening = openingOfMessage(event.id, event.type, event.data)
            return (await admitMessage(scene, { turnId: event.data.turn_id, opening, strategy, deadlineMs }))
              ? event.data.turn_id
              : null
          }
          default: {
            const admission = admissionOfAction(event, deadlineMs)
            if (admission !== undefined) return (await admitMessage(scene, admission)) ? admission.turnId : null
            const { action } = event.data as { readonly action: Parameters<typeof act>[1]['action'] }
            return (await act(scene, { action, turnId: event.data.turn_id, deadlineMs })) ?? null
          }
        }
      },
    )
  }
}

function admissionOfAction(
  event: CloudEvent<string, ConversationActionRequested>,
  deadlineMs: number,
): Admission | undefined {
  const { action, turn_id: turnId = event.id } = event.data
  if (!Object.hasOwn(promptOfAction, action)) return undefined
  const text = promptOfAction[action as keyof typeof promptOfAction]
  return {
    turnId,
    opening: { eventId: event.id, type: event.type, data: event.data, text, trace: traceparentHere() },
    strategy: 'enqueue',
    deadlineMs,
  }
}

/** Nothing can be written now, or not by this run; or the event waits for the model, and this attempt is given back. */
const leavesTurn = (error: unknown): boolean =>
  error instanceof SluiceError && ['database_unavailable', 'lease_lost', 'circuit_open'].includes(error.code)
