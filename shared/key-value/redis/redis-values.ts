// Values in Redis, each with a time to live.

import type { Redis } from 'ioredis'
import { SluiceError } from '../../errors/index.ts'
import type { KeyValue } from '../key-value.ts'
import { checkIncrement, checkKey, checkLifetime, checkValue } from '../limits.ts'
import { coded, notAnInteger } from './redis-error.ts'

/** Redis is often shared; everything of ours has this prefix. */
const named = (key: string): string => {
  checkKey(key)
  return `sluice:value:${key}`
}

// One step: a crash between INCRBY and PEXPIRE would leave a counter that never ends.
const increment = `
  local value = redis.call('INCRBY', KEYS[1], ARGV[1])
  if redis.call('PTTL', KEYS[1]) < 0 then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
  return value`

/** `client` throws `key_value_unavailable` before the first connection. */
export function createRedisValues(client: () => Redis): KeyValue {
  const run = <T>(command: (redis: Redis) => Promise<T>): Promise<T> => coded((async () => await command(client()))())
  return {
    get: async (key) => {
      const name = named(key)
      return (await run((redis) => redis.get(name))) ?? undefined
    },
    set: async (key, value, { ttlMs }) => {
      const name = named(key)
      checkValue(value)
      checkLifetime({ ttlMs })
      await run((redis) => redis.set(name, value, 'PX', ttlMs))
    },
    setIfAbsent: async (key, value, { ttlMs }) => {
      const name = named(key)
      checkValue(value)
      checkLifetime({ ttlMs })
      return (await run((redis) => redis.set(name, value, 'PX', ttlMs, 'NX'))) === 'OK'
    },
    delete: async (key) => {
      const name = named(key)
      await run((redis) => redis.del(name))
    },
    increment: async (key, { by = 1, ttlMs }) => {
      const name = named(key)
      checkLifetime({ ttlMs })
      checkIncrement(by)
      const value = await run(async (redis) => {
        try {
          return Number(await redis.eval(increment, 1, name, by, ttlMs))
        } catch (error) {
          throw notAnInteger(error) ? notANumber(key, error) : error
        }
      })
      if (Number.isSafeInteger(value)) return value
      throw new SluiceError(
        'number_out_of_range',
        `The counter ${key} is beyond what a JavaScript number holds exactly`,
      )
    },
  }
}

const notANumber = (key: string, cause: unknown): SluiceError =>
  new SluiceError('conflict', `${key} does not hold a whole number in range, so it cannot be incremented`, { cause })
