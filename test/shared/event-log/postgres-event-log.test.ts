import { secret } from '../../../shared/config/index.ts'
import { createDatabase } from '../../../shared/database/index.ts'
import { createPostgresEventLog, type EventLog } from '../../../shared/event-log/index.ts'
import { createLogger } from '../../../shared/telemetry/index.ts'
import { systemClock as clock } from '../../../shared/time/index.ts'
import { eventLogContract } from '../../contracts/event-log.ts'
import { atEnd, createTestDatabase, proxyTo } from '../../support/index.ts'

const log = createLogger({ function: 'test', level: 'silent' })
const limits = { poolSize: 4, statementTimeoutMs: 10_000, lockTimeoutMs: 2_000, applicationName: 'test' }

eventLogContract('postgres', async (t) => {
  const { url } = await createTestDatabase(t)
  const open = async (at: string): Promise<EventLog> => {
    const database = createDatabase({ ...limits, url: secret(at) }, { log, clock })
    await database.start(t.signal)
    atEnd(t, () => database.stop())
    const eventLog = createPostgresEventLog({}, { database, clock, log })
    await eventLog.start(t.signal)
    atEnd(t, () => eventLog.stop())
    return eventLog
  }
  let names = 0
  return {
    uniqueName: (name) => `${name}-${(names += 1)}`,
    open: () => open(url),
    openThroughProxy: async () => {
      const { proxy, proxied } = await proxyTo(t, url)
      return { log: await open(proxied), proxy }
    },
  }
})
