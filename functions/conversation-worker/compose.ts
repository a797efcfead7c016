// Puts the conversation-worker together from what serve() gives.

import type { Handler, Resources } from '../../shared/function/index.ts'
import type { Component } from '../../shared/lifecycle/index.ts'
import { createChangeSession } from './change-session.ts'
import type { conversationWorker } from './function.ts'
import { createHandler } from './handler.ts'
import { createLeadTurn } from './lead-turn.ts'
import { createTurnStops } from './turn-stops.ts'

export interface ConversationWorker {
  readonly handler: Handler<typeof conversationWorker>
  readonly components: readonly Component[]
}

export function createConversationWorker(resources: Resources<typeof conversationWorker>): ConversationWorker {
  const { turnDeadlineMs, modelName } = resources.config
  const stops = createTurnStops({}, resources)
  const change = createChangeSession(resources)
  const leadTurn = createLeadTurn({ ...resources, stops, change, modelName })
  return { handler: createHandler({ change, leadTurn, turnDeadlineMs }), components: [stops] }
}
