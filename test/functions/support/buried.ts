// Dead letters of functions, made from events that wait in their lanes: as if their last run had failed.

import type { Database } from '../../../shared/database/index.ts'

const burySql = `WITH buried AS (
    INSERT INTO sluice.dead_letter (dead_letter_id, function, source, id, topic, partition, log_offset, key, tenant, cause, message,
      fingerprint, attempts, raw, event, trace, function_version, config_version)
    SELECT gen_random_uuid(), function, source, id, topic, partition, log_offset, key, tenant, 'handler_failed', 'a planted failure',
      '0123456789abcdef', 8, raw, event, trace, 'test', 'test' FROM sluice.parked WHERE function = $1
    RETURNING dead_letter_id
  ), dead AS (
    UPDATE sluice.inbox SET state = 'dead' WHERE function = $1 AND state = 'parked'
  ), gone AS (
    DELETE FROM sluice.parked WHERE function = $1
  ), empty AS (
    DELETE FROM sluice.lane WHERE function = $1
  )
  SELECT dead_letter_id AS id FROM buried`

/** Returns the ids of the dead letters. */
export async function buryParked(database: Database, name: string): Promise<readonly string[]> {
  const { rows } = await database.query<{ id: string }>(burySql, [name])
  return rows.map(({ id }) => id)
}
