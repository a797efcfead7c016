// Values in an unlogged table. A value past its time is treated as absent at once and deleted later. Values are bytes, since
// a text column would refuse NUL.

import type { Queryable } from '../../database/index.ts'
import { SluiceError, sqlState } from '../../errors/index.ts'
import type { KeyValue } from '../key-value.ts'
import { checkIncrement, checkKey, checkLifetime, checkValue } from '../limits.ts'
import { coded } from './store-error.ts'

const expiry = (parameter: string): string => `now() + ${parameter} * interval '1 millisecond'`

const get = 'SELECT value FROM sluice.key_value WHERE key = $1 AND expires_at > now()'

const set = `
  INSERT INTO sluice.key_value (key, value, expires_at) VALUES ($1, $2, ${expiry('$3')})
  ON CONFLICT (key) DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at`

const setIfAbsent = `${set} WHERE key_value.expires_at <= now()`

const increment = `
  INSERT INTO sluice.key_value AS old (key, value, expires_at) VALUES ($1, convert_to($2::bigint::text, 'UTF8'), ${expiry('$3')})
  ON CONFLICT (key) DO UPDATE SET
    value = CASE WHEN old.expires_at <= now() THEN excluded.value
                 ELSE convert_to((convert_from(old.value, 'UTF8')::bigint + $2::bigint)::text, 'UTF8') END,
    expires_at = CASE WHEN old.expires_at <= now() THEN excluded.expires_at ELSE old.expires_at END
  RETURNING convert_from(value, 'UTF8')::bigint AS value`

export function createPostgresValues({ database }: { readonly database: Queryable }): KeyValue {
  return {
    get: async (key) => {
      checkKey(key)
      const { rows } = await coded(database.query<{ value: Buffer }>(get, [key]))
      return rows[0]?.value.toString('utf8')
    },
    set: async (key, value, lifetime) => {
      checkKey(key)
      checkValue(value)
      checkLifetime(lifetime)
      await coded(database.query(set, [key, Buffer.from(value), lifetime.ttlMs]))
    },
    setIfAbsent: async (key, value, lifetime) => {
      checkKey(key)
      checkValue(value)
      checkLifetime(lifetime)
      const { rowCount } = await coded(database.query(setIfAbsent, [key, Buffer.from(value), lifetime.ttlMs]))
      return rowCount === 1
    },
    delete: async (key) => {
      checkKey(key)
      await coded(database.query('DELETE FROM sluice.key_value WHERE key = $1', [key]))
    },
    increment: async (key, { by = 1, ttlMs }) => {
      checkKey(key)
      checkLifetime({ ttlMs })
      checkIncrement(by)
      const { rows } = await coded(database.query<{ value: number }>(increment, [key, by, ttlMs])).catch(
        (error: unknown) => {
          throw (sqlState(error) ?? '').startsWith('22') ? notANumber(key, error) : error
        },
      )
      return rows[0]?.value ?? Number.NaN
    },
  }
}

const notANumber = (key: string, cause: unknown): SluiceError =>
  new SluiceError('conflict', `${key} does not hold a whole number in range, so it cannot be incremented`, { cause })
