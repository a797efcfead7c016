// Puts the conversation-worker together from what serve() gives.

import type { Handler, Resources } from '../../shared/function/index.ts'
import type { Component } from '../../shared/lifecycle/index.ts'
import { createHttpMemory } from '../../shared/memory/index.ts'
import { createChangeSession } from './change-session.ts'
import type { conversationWorker } from './function.ts'
import { createHandler } from './handler.ts'
import { createLeadTurn } from './lead-turn.ts'
import { createRecall, recallNothing } from './recall-memories.ts'
import { createRememberTurns, rememberNothing } from './remember-turns.ts'
import { createTurnStops } from './turn-stops.ts'

export interface ConversationWorker {
  readonly handler: Handler<typeof conversationWorker>
  readonly components: readonly Component[]
}

export function createConversationWorker(resources: Resources<typeof conversationWorker>): ConversationWorker {
  const { turnDeadlineMs, modelName } = resources.config
  const stops = createTurnStops({}, resources)
  const change = createChangeSession(resources)
  const { recall, remember, components } = createMemory(resources)
  const leadTurn = createLeadTurn({ ...resources, stops, change, modelName, recall, remember })
  return { handler: createHandler({ change, leadTurn, turnDeadlineMs }), components: [stops, ...components] }
}

function createMemory(resources: Resources<typeof conversationWorker>) {
  const { memoryServiceUrl: url, memoryServiceToken: token, memoryRecallTimeoutMs: recallTimeoutMs } = resources.config
  if (url === '') return { recall: recallNothing, remember: rememberNothing, components: [] }
  const memory = createHttpMemory({ url, token, recallTimeoutMs }, resources)
  const remember = createRememberTurns({ ...resources, memory })
  return { recall: createRecall({ ...resources, memory }), remember, components: [memory, remember] }
}
