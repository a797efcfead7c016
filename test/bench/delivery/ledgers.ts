// The function that is measured: one row an event, and one event out. Twice: under delivery, and without inbox and outbox.

import { conversationMessageReceived, conversationTurnStarted, topics } from '../../../shared/events/index.ts'
import { defineFunction, type Behaviour } from '../../../shared/function/index.ts'

const shared = {
  purpose: 'Writes each message down',
  consumes: [{ topic: topics.conversationInbound, type: conversationMessageReceived }],
  needs: ['postgres'],
  scale: { min: 0, max: 1, concurrency: 64 },
} as const

export const ledger = defineFunction({
  ...shared,
  name: 'bench-ledger',
  produces: [{ topic: topics.conversationOutbound, type: conversationTurnStarted }],
  execution: 'transaction',
  ordering: 'key',
})

export const bareLedger = defineFunction({
  ...shared,
  name: 'bench-bare-ledger',
  produces: [],
  execution: 'stateless',
  ordering: 'none',
})

export const effectTable = 'CREATE TABLE bench_effect (id text NOT NULL, message text NOT NULL)'
export const effectSql = 'INSERT INTO bench_effect (id, message) VALUES ($1, $2)'

export const keepLedger: Behaviour<typeof ledger> = async (event, { tx, emit }) => {
  const { session_id, turn_id, message } = event.data
  await tx.query(effectSql, [event.id, message])
  emit(conversationTurnStarted, { session_id, turn_id }, { key: session_id })
}

export const keepBareLedger: Behaviour<typeof bareLedger> = {
  compose: ({ database }) => ({
    handler: async (event) => {
      await database.transaction((tx) => tx.query(effectSql, [event.id, event.data.message]))
    },
  }),
}
