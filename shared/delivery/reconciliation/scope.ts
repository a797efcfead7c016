// How much of the tables a check reads: all of it, for a person who asks, or a part that an index finds, for the check that runs
// each minute beside the work. A fault in what is new is found at once by either; one in what is old only by the first.

/** Each is something to select FROM. */
export interface Scope {
  readonly outbox: string
  /** Keys that have something to publish. */
  readonly pendingKeys: string
  readonly keys: string
  /** Events that are not done. */
  readonly openInbox: string
  readonly parked: string
  readonly lanes: string
  readonly deadLetters: string
  /** Rows of one key that are counted; SQL. */
  readonly rowsOfKey: string
}

export type ScopeName = 'all' | 'recent'

/**
 * Rows of a table that the periodic check reads. More see more of what a busy minute brings, and cost a look-up each; when a
 * table has not many more than that Postgres may read it from end to end, which costs no more then.
 */
const newestRows = 20_000
const oldestLanesOfShare = 1_000

const pendingKeys = `SELECT * FROM sluice.outbox_key WHERE sent + 1 < next`

// In the order of its index: the planner cannot know how few there are.
const firstPending = (most: number): string => `(${pendingKeys} ORDER BY topic, key LIMIT ${most})`

export function recentScope(newest: number = newestRows): Scope {
  const latest = (table: string, where = 'true'): string =>
    `(SELECT * FROM ${table} WHERE ${where} ORDER BY at DESC LIMIT ${newest})`
  return {
    outbox: latest('sluice.outbox'),
    pendingKeys: firstPending(newest),
    keys: firstPending(newest),
    openInbox: latest('sluice.inbox', `state <> 'done'`),
    parked: latest('sluice.parked'),
    // Those that have been due longest, of each function and tenant: what is wrong with a lane keeps it from being taken.
    lanes: `(SELECT l.* FROM sluice.lane_shares() AS s CROSS JOIN LATERAL (
      SELECT * FROM sluice.lane WHERE lane.function = s.function AND lane.tenant = s.tenant AND lane.held IS NULL
      ORDER BY lane.due_at LIMIT ${oldestLanesOfShare}) AS l LIMIT ${newest})`,
    deadLetters: latest('sluice.dead_letter'),
    rowsOfKey: '1000',
  }
}

export const scopes: Readonly<Record<ScopeName, Scope>> = {
  all: {
    outbox: 'sluice.outbox',
    pendingKeys: `(${pendingKeys})`,
    keys: 'sluice.outbox_key',
    openInbox: `(SELECT * FROM sluice.inbox WHERE state <> 'done')`,
    parked: 'sluice.parked',
    lanes: 'sluice.lane',
    deadLetters: 'sluice.dead_letter',
    rowsOfKey: 'NULL::bigint',
  },
  recent: recentScope(),
}
