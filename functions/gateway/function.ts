// Contract of the gateway.

import { conversationActionRequested, conversationMessageReceived, topics } from '../../shared/events/index.ts'
import { defineHttpFunction } from '../../shared/function/index.ts'

export const gateway = defineHttpFunction({
  name: 'gateway',
  purpose:
    'Takes messages and actions of people, stores them for the conversation-worker and streams what comes of them',
  produces: [
    { topic: topics.conversationInbound, type: conversationMessageReceived },
    { topic: topics.conversationInbound, type: conversationActionRequested },
  ],
  needs: ['postgres', 'redis'],
  // Streams are requests, so the concurrency is that of connections.
  scale: { min: 1, max: 20, concurrency: 1_000 },
})
