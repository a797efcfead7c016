// Contract of the gateway.

import { conversationActionRequested, conversationMessageReceived, topics } from '../../shared/events/index.ts'
import { defineHttpFunction, type StreamBudget } from '../../shared/function/index.ts'

/** Sooner than Knative's 600 s; a client whose stream ends comes back after its last event. */
export const streamBudget: StreamBudget = { longestMs: 540_000, heartbeatMs: 15_000 }

export const gateway = defineHttpFunction({
  name: 'gateway',
  purpose:
    'Takes messages and actions of people, stores them for the conversation-worker and streams what comes of them',
  produces: [
    { topic: topics.conversationInbound, type: conversationMessageReceived },
    { topic: topics.conversationInbound, type: conversationActionRequested },
  ],
  needs: ['postgres', 'redis'],
  exposure: 'public',
  stream: streamBudget,
  // Streams are requests, so the concurrency is that of connections.
  scale: { min: 1, max: 20, concurrency: 1_000 },
  size: { cpuMillicores: 250, cpuLimitMillicores: 2_000, memoryMiB: 512 },
})
