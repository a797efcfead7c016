// What a replay would do, by kind of failure: nothing is changed. Groups are what a person fixes: one function, one fingerprint.

import type { Queryable } from '../../database/index.ts'
import { filterSql, filterValues, type DeadLetterFilter } from './dead-letter-filter.ts'
import { judgeEvent, type RefusedReplay } from './judge-letter.ts'
import type { WorkOf } from './take-back.ts'

export interface PlannedGroup {
  readonly function: string
  readonly fingerprint: string
  readonly cause: string
  readonly count: number
  /** Lanes among them. */
  readonly keys: number
  /** ISO 8601. */
  readonly oldest: string
  readonly newest: string
  /** The oldest: what a replay tries first, and what a person may look at or run dry. */
  readonly sample: { readonly dead_letter_id: string; readonly message: string; readonly type: string | null }
  /** Would go back to the ends of their lanes. */
  readonly replayable: number
  /** Would be refused, by reason. */
  readonly refused: Readonly<Partial<Record<RefusedReplay, number>>>
}

export interface ReplayPlan {
  readonly groups: readonly PlannedGroup[]
  /** There are more than were looked at. */
  readonly more: boolean
}

interface Row {
  readonly dead_letter_id: string
  readonly function: string
  readonly fingerprint: string
  readonly cause: string
  readonly message: string
  readonly key: string | null
  readonly id: string | null
  readonly event: unknown
  readonly at: Date
  readonly inbox_state: string | null
  readonly inbox_hash: Buffer | null
}

/** Dead letters that one plan looks at. */
const planned = 10_000
const batch = 500

const rowsSql = `SELECT letter.dead_letter_id, letter.function, letter.fingerprint, letter.cause, letter.message, letter.key, letter.id,
  letter.event, letter.at, inbox.state AS inbox_state, inbox.data_hash AS inbox_hash
FROM sluice.dead_letter AS letter
LEFT JOIN sluice.inbox ON inbox.function = letter.function AND inbox.source = letter.source AND inbox.id = letter.id
WHERE ${filterSql} AND ($9::uuid IS NULL OR (letter.at, letter.dead_letter_id)
  > ((SELECT last.at FROM sluice.dead_letter AS last WHERE last.dead_letter_id = $9), $9))
ORDER BY letter.at, letter.dead_letter_id LIMIT $10`

type Gathering = { -readonly [K in keyof PlannedGroup]: PlannedGroup[K] } & {
  readonly lanes: Set<string | null>
  refused: Partial<Record<RefusedReplay, number>>
}

/** `works`: of functions whose work that no event started is taken back. */
export async function planReplay(
  queryable: Queryable,
  filter: DeadLetterFilter,
  works: WorkOf = new Map(),
): Promise<ReplayPlan> {
  const groups = new Map<string, Gathering>()
  let looked = 0
  let after: string | null = null
  for (;;) {
    const values: readonly unknown[] = [...filterValues({ ...filter, state: 'dead' }), after, batch]
    const { rows } = await queryable.query<Row>(rowsSql, values)
    for (const row of rows) gather(groups, row, works)
    looked += rows.length
    after = rows.at(-1)?.dead_letter_id ?? null
    if (rows.length < batch) return { groups: sorted(groups), more: false }
    if (looked >= planned) return { groups: sorted(groups), more: true }
  }
}

function gather(groups: Map<string, Gathering>, row: Row, works: WorkOf): void {
  const name = `${row.function} ${row.fingerprint}`
  const group = groups.get(name) ?? begin(row)
  groups.set(name, group)
  group.count += 1
  group.newest = row.at.toISOString()
  group.lanes.add(row.key)
  group.keys = group.lanes.size
  const reason = refusedFor(row, works)
  if (reason === undefined) group.replayable += 1
  else group.refused[reason] = (group.refused[reason] ?? 0) + 1
}

const begin = (row: Row): Gathering => ({
  function: row.function,
  fingerprint: row.fingerprint,
  cause: row.cause,
  count: 0,
  keys: 0,
  oldest: row.at.toISOString(),
  newest: row.at.toISOString(),
  sample: { dead_letter_id: row.dead_letter_id, message: row.message, type: typeOf(row.event) },
  replayable: 0,
  refused: {},
  lanes: new Set(),
})

function refusedFor(row: Row, works: WorkOf): RefusedReplay | undefined {
  const { id, key, event, inbox_state, inbox_hash } = row
  if (event === null) return id !== null && works.has(row.function) ? undefined : 'no_event'
  if (id === null || key === null) return 'no_identity'
  const judged = judgeEvent(event)
  if (!judged.ok) return judged.reason
  if (inbox_hash !== null && !inbox_hash.equals(judged.dataHash)) return 'id_conflict'
  if (inbox_state === 'done') return 'already_done'
  return inbox_state === 'parked' ? 'in_lane' : undefined
}

function typeOf(event: unknown): string | null {
  const type = typeof event === 'object' && event !== null && 'type' in event ? event.type : undefined
  return typeof type === 'string' ? type : null
}

/** The largest first. */
const sorted = (groups: ReadonlyMap<string, Gathering>): readonly PlannedGroup[] =>
  [...groups.values()].toSorted((a, b) => b.count - a.count).map(({ lanes: _lanes, ...group }) => group)
