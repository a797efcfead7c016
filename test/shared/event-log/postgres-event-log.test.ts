import { createDatabase } from '../../../shared/database/index.ts'
import { createPostgresEventLog } from '../../../shared/event-log/index.ts'
import { secret } from '../../../shared/config/index.ts'
import { createLogger } from '../../../shared/telemetry/index.ts'
import { systemClock as clock } from '../../../shared/time/index.ts'
import { eventLogContract } from '../../contracts/event-log.ts'
import { atEnd, createTestDatabase } from '../../support/index.ts'

const log = createLogger({ function: 'test', level: 'silent' })

eventLogContract('postgres', async (t) => {
  const { url } = await createTestDatabase(t)
  return {
    uniqueName: (name) => name + Math.random().toString(36).slice(2),
    open: async () => {
      const database = createDatabase(
        { url: secret(url), poolSize: 4, statementTimeoutMs: 10_000, lockTimeoutMs: 2_000, applicationName: 'test' },
        { log, clock },
      )
      await database.start(t.signal)
      atEnd(t, () => database.stop())
      const eventLog = createPostgresEventLog({}, { database, clock, log })
      await eventLog.start(t.signal)
      atEnd(t, () => eventLog.stop())
      return eventLog
    },
  }
})
