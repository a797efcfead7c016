// Contract of the conversation-worker.

import {
  conversationActionRequested,
  conversationMessageReceived,
  conversationTurnCompleted,
  conversationTurnFailed,
  conversationTurnProgressed,
  conversationTurnStarted,
  toolCallFinished,
  toolCallRequested,
  topics,
} from '../../shared/events/index.ts'
import { defineFunction } from '../../shared/function/index.ts'

const { conversationInbound, conversationOutbound, toolRequests, toolResults } = topics

export const conversationWorker = defineFunction({
  name: 'conversation-worker',
  purpose: 'Leads each turn of a conversation from the message through model and tools to its end',
  consumes: [
    { topic: conversationInbound, type: conversationMessageReceived },
    { topic: conversationInbound, type: conversationActionRequested },
    { topic: toolResults, type: toolCallFinished },
  ],
  produces: [
    { topic: conversationOutbound, type: conversationTurnStarted },
    { topic: conversationOutbound, type: conversationTurnProgressed },
    { topic: conversationOutbound, type: conversationTurnCompleted },
    { topic: conversationOutbound, type: conversationTurnFailed },
    { topic: toolRequests, type: toolCallRequested },
    // To itself: "look at this turn again", when one turn ends and the next is waiting.
    { topic: conversationInbound, type: conversationActionRequested },
  ],
  execution: 'steps',
  // The key is the session, so a slow model holds only its own conversation.
  ordering: 'key',
  // A turn's own deadline is what bounds a run; timeoutMs is above its largest value.
  delivery: { attempts: 8, backoff: { firstMs: 250, maxMs: 10_000 }, timeoutMs: 330_000 },
  needs: ['postgres', 'redis', 'model'],
  uses: ['memory'],
  scale: { min: 0, max: 20, concurrency: 100 },
  size: { cpuMillicores: 250, cpuLimitMillicores: 2_000, memoryMiB: 512 },
})
