// Contract of outbox-sync. It works from its own loops; the schedule is only their watchdog.

import { conversationActionRequested, topics } from '../../shared/events/index.ts'
import { defineFunction } from '../../shared/function/index.ts'

export const outboxSync = defineFunction({
  name: 'outbox-sync',
  purpose: 'Relays outbox rows, drives lanes, ends overdue turns and prunes what nobody needs any more',
  schedule: '* * * * *',
  budgetMs: 30_000,
  produces: [{ topic: topics.conversationInbound, type: conversationActionRequested }],
  needs: ['postgres', 'kafka'],
  scale: { min: 1, max: 10, concurrency: 10 },
})
