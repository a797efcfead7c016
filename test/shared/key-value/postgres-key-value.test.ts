import { secret } from '../../../shared/config/index.ts'
import { createDatabase } from '../../../shared/database/index.ts'
import { createPostgresKeyValue, type KeyValueStore } from '../../../shared/key-value/index.ts'
import { createLogger } from '../../../shared/telemetry/index.ts'
import { systemClock as clock } from '../../../shared/time/index.ts'
import { keyValueContract } from '../../contracts/key-value.ts'
import { atEnd, createTestDatabase, proxyTo } from '../../support/index.ts'

const log = createLogger({ function: 'test', level: 'silent' })
const limits = {
  poolSize: 4,
  statementTimeoutMs: 1_000,
  lockTimeoutMs: 1_000,
  connectTimeoutMs: 1_000,
  applicationName: 'test',
}

keyValueContract('postgres', async (t) => {
  const { url } = await createTestDatabase(t)
  const open = async (at: string): Promise<KeyValueStore> => {
    const database = createDatabase({ ...limits, url: secret(at) }, { log, clock })
    await database.start(t.signal)
    atEnd(t, () => database.stop())
    const store = createPostgresKeyValue({}, { database, clock, log })
    await store.component.start(t.signal)
    atEnd(t, () => store.component.stop())
    return store
  }
  let names = 0
  return {
    uniqueName: (name) => `${name}-${(names += 1)}`,
    open: () => open(url),
    openThroughProxy: async () => {
      const { proxy, proxied } = await proxyTo(t, url)
      return { ...(await open(proxied)), proxy }
    },
  }
})
