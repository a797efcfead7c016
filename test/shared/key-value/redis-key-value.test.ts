import { secret } from '../../../shared/config/index.ts'
import { createRedisKeyValue, type KeyValueStore } from '../../../shared/key-value/index.ts'
import { createLogger } from '../../../shared/telemetry/index.ts'
import { systemClock as clock } from '../../../shared/time/index.ts'
import { keyValueContract } from '../../contracts/key-value.ts'
import { atEnd, proxyTo, redisForTests } from '../../support/index.ts'

const log = createLogger({ function: 'test', level: 'silent' })

keyValueContract('redis', async (t) => {
  const redis = await redisForTests(t)
  if (redis === undefined) return undefined
  const open = async (url: string): Promise<KeyValueStore> => {
    const store = createRedisKeyValue({ url: secret(url), connectionName: 'test' }, { clock, log })
    await store.component.start(t.signal)
    atEnd(t, () => store.component.stop())
    return store
  }
  return {
    uniqueName: redis.uniqueName,
    open: () => open(redis.url),
    openThroughProxy: async () => {
      const { proxy, proxied } = await proxyTo(t, redis.url)
      return { ...(await open(proxied)), proxy }
    },
  }
})
