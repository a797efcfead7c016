// `sluice-dry-run-token: <uuid>`: leave for one dry run of one event. It is issued in the database, which no record of a log
// can write to, and the function's report comes back the same way, since the answer of a sink has no body.

import type { Queryable } from '../../database/index.ts'
import type { DryRunReport } from './dry-run-report.ts'

export const dryRunTokenHeader = 'sluice-dry-run-token'

export interface RehearsedEvent {
  readonly function: string
  readonly source: string
  readonly id: string
}

const issueSql = `WITH swept AS (DELETE FROM sluice.dry_run WHERE expires_at < clock_timestamp() - interval '1 hour')
INSERT INTO sluice.dry_run (token, function, source, id, expires_at)
VALUES (gen_random_uuid(), $1, $2, $3, sluice.after_ms($4)) RETURNING token`

export async function issueDryRun(
  queryable: Queryable,
  { function: name, source, id }: RehearsedEvent,
  validMs: number,
): Promise<string> {
  const { rows } = await queryable.query<{ token: string }>(issueSql, [name, source, id, validMs])
  return rows[0]?.token ?? ''
}

const takeSql = `UPDATE sluice.dry_run SET taken = true
WHERE token = $1 AND function = $2 AND source = $3 AND id = $4 AND NOT taken AND expires_at > clock_timestamp()`

/** False: forged, used, expired, or another event's. */
export async function takeDryRun(queryable: Queryable, token: string, event: RehearsedEvent): Promise<boolean> {
  if (!/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(token)) return false
  const { rowCount } = await queryable.query(takeSql, [token, event.function, event.source, event.id])
  return rowCount === 1
}

export async function reportDryRun(queryable: Queryable, token: string, report: DryRunReport): Promise<void> {
  await queryable.query('UPDATE sluice.dry_run SET report = $2 WHERE token = $1', [token, JSON.stringify(report)])
}

/** Reads and forgets it. Undefined: the function wrote none. */
export async function collectDryRun(queryable: Queryable, token: string): Promise<DryRunReport | undefined> {
  const sql = 'DELETE FROM sluice.dry_run WHERE token = $1 RETURNING report'
  const { rows } = await queryable.query<{ report: DryRunReport | null }>(sql, [token])
  return rows[0]?.report ?? undefined
}
