// How much waits to be published, as gauges. Counted in the database, so one process tells it for all.

import type { Queryable } from '../../database/index.ts'
import type { Instruments } from '../../telemetry/index.ts'

type OutboxGauges = Pick<Instruments, 'outboxPending' | 'outboxOldest'>

// Keys with something pending are few and have an index; the oldest row of a key is the one after the last that was sent.
const countSql = `SELECT coalesce(sum(k.next - 1 - k.sent), 0)::float8 AS pending,
  greatest(0, coalesce(extract(epoch FROM clock_timestamp() - min(o.at)), 0))::float8 AS oldest
FROM sluice.outbox_key k LEFT JOIN sluice.outbox o ON o.topic = k.topic AND o.key = k.key AND o.sequence = k.sent + 1
WHERE k.sent + 1 < k.next`

export const createOutboxGauges = ({ outboxPending, outboxOldest }: OutboxGauges) => ({
  refresh: async (database: Queryable): Promise<void> => {
    const { rows } = await database.query<{ pending: number; oldest: number }>(countSql)
    const [{ pending, oldest } = { pending: 0, oldest: 0 }] = rows
    outboxPending.set(pending)
    outboxOldest.set(oldest)
  },
})
