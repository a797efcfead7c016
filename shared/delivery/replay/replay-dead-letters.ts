// A replay: dead letters of one kind after the other go back to the ends of their lanes.
//
//   canary ──done──▶ the rest, at a rate ──all moved──▶ watched until decided, or patience ends
//     │                │
//     └── fails, or is not decided in time: the kind stops; nothing more of it is moved
//                      └── the old fingerprint returns, in whatever event: the kind stops
//
// P1  A kind is a function and a fingerprint: what stops one says nothing about another.
// P2  Nothing is moved twice: the ledger decides, whoever else replays at the same time.
// P3  Cancelling leaves what was moved in its lane and the rest as it was.

import { v7 as uuidv7 } from 'uuid'
import type { Database } from '../../database/index.ts'
import type { Clock } from '../../time/index.ts'
import { laneChannel } from '../channels.ts'
import { filterSql, filterValues, type DeadLetterFilter } from './dead-letter-filter.ts'
import type { RefusedReplay } from './judge-letter.ts'
import type { Operator } from './operator.ts'
import { redrive } from './redrive.ts'
import type { WorkOf } from './take-back.ts'
import { countRun, failureReturned, fateOf, type FailureKind, type RunCounts } from './watch-replay.ts'

export interface ReplayOptions {
  readonly filter: DeadLetterFilter
  readonly operator: Omit<Operator, 'runId'>
  /** Events a second after the canary. Default 10. */
  readonly perSecond?: number
  /** How long the canary may take, and the last events in their lanes, in milliseconds. Default 60,000. */
  readonly patienceMs?: number
  /** Dead letters of one run. Default 10,000. */
  readonly limit?: number
  readonly onStep?: (step: ReplayStep) => void
}

export type ReplayStep =
  | { readonly step: 'canary'; readonly kind: FailureKind; readonly deadLetterId: string }
  | { readonly step: 'canary-done'; readonly kind: FailureKind }
  | { readonly step: 'moved'; readonly kind: FailureKind; readonly moved: number; readonly of: number }

export type StopReason = 'fingerprint_returned' | 'canary_failed' | 'canary_undecided' | 'cancelled'

export interface RefusedLetter {
  readonly dead_letter_id: string
  readonly reason: RefusedReplay
  readonly message: string
}

export interface ReplayedKind extends FailureKind {
  readonly replayed: number
  readonly refused: readonly RefusedLetter[]
  /** Not tried, because the kind was stopped. */
  readonly left: number
  readonly stopped?: { readonly reason: StopReason; readonly detail: string }
}

export interface ReplayReport {
  readonly run_id: string
  readonly kinds: readonly ReplayedKind[]
  /** What became of the replayed events by the end of the run. */
  readonly outcome: RunCounts
}

export interface ReplayDeps {
  readonly database: Pick<Database, 'query' | 'notify' | 'transaction'>
  /** How functions take back work that no event started. Default: such letters are refused. */
  readonly works?: WorkOf
  readonly clock: Clock
}

interface Candidate extends FailureKind {
  readonly dead_letter_id: string
}

const pollMs = 100

const candidatesSql = `SELECT letter.dead_letter_id, letter.function, letter.fingerprint, letter.cause
FROM sluice.dead_letter AS letter WHERE ${filterSql} ORDER BY letter.at, letter.dead_letter_id LIMIT $9`

/** `signal` ends the run early. @throws what the database threw; what was moved is in the ledger. */
export async function replayDeadLetters(
  options: ReplayOptions,
  deps: ReplayDeps,
  signal: AbortSignal,
): Promise<ReplayReport> {
  const { filter, limit = 10_000 } = options
  const runId = uuidv7()
  // Named ids are all tried, so that the ledger can say what it has of them; a filter means what is dead.
  const state = filter.state ?? (filter.ids === undefined ? 'dead' : undefined)
  const scope = { ...filter, state, tenant: options.operator.tenant ?? filter.tenant }
  const { rows } = await deps.database.query<Candidate>(candidatesSql, [...filterValues(scope), limit])
  const groups = Map.groupBy(rows, (row) => `${row.function} ${row.fingerprint}`)
  const kinds: ReplayedKind[] = []
  for (const letters of groups.values()) {
    const [first] = letters
    if (first === undefined) continue
    const { function: name, fingerprint, cause } = first
    const kind = { function: name, fingerprint, cause }
    kinds.push(await replayKind(kind, letters, { runId, options, deps, signal }))
  }
  const missing = missingIds(filter.ids ?? [], rows)
  if (missing.length > 0) kinds.push(unknownLetters(missing))
  await settle({ runId, options, deps, signal })
  return { run_id: runId, kinds, outcome: await countRun(deps.database, runId) }
}

interface Around {
  readonly runId: string
  readonly options: ReplayOptions
  readonly deps: ReplayDeps
  readonly signal: AbortSignal
}

async function replayKind(kind: FailureKind, letters: readonly Candidate[], around: Around): Promise<ReplayedKind> {
  const { runId, options, deps, signal } = around
  const { perSecond = 10, onStep = () => undefined } = options
  const operator: Operator = { ...options.operator, runId }
  const since = await databaseTime(deps)
  const refused: RefusedLetter[] = []
  let replayed = 0
  let stopped: ReplayedKind['stopped']
  let tried = 0
  for (const { dead_letter_id: id } of letters) {
    stopped = signal.aborted ? { reason: 'cancelled', detail: '' } : await returned(kind, { since, runId }, deps)
    if (stopped !== undefined) break
    tried += 1
    const moved = await redrive(deps.database, id, { ...operator, works: deps.works })
    if (!moved.ok) {
      refused.push({ dead_letter_id: id, reason: moved.reason, message: moved.message })
      continue
    }
    replayed += 1
    if (moved.work === true) {
      // It is tried when its function comes to it; a fault that is not mended makes it a dead letter again.
      onStep({ step: 'moved', kind, moved: replayed, of: letters.length })
      continue
    }
    await deps.database.notify(laneChannel, kind.function).catch(() => undefined) // the driver looks by itself, too
    if (replayed === 1) {
      onStep({ step: 'canary', kind, deadLetterId: id })
      stopped = await watchCanary(id, kind, around)
      if (stopped !== undefined) break
      onStep({ step: 'canary-done', kind })
    } else {
      onStep({ step: 'moved', kind, moved: replayed, of: letters.length })
      await deps.clock.sleep(1_000 / perSecond, signal).catch(() => undefined)
    }
  }
  const left = letters.length - tried
  return { ...kind, replayed, refused, left, ...(stopped === undefined ? {} : { stopped }) }
}

async function returned(
  kind: FailureKind,
  run: { readonly since: string; readonly runId: string },
  { database }: ReplayDeps,
): Promise<ReplayedKind['stopped']> {
  const detail = await failureReturned(database, kind, run)
  return detail === undefined ? undefined : { reason: 'fingerprint_returned', detail }
}

async function watchCanary(id: string, kind: FailureKind, { options, deps, signal }: Around) {
  const { patienceMs = 60_000 } = options
  const deadline = deps.clock.monotonic() + patienceMs
  for (;;) {
    const { fate, detail } = await fateOf(deps.database, id, kind)
    if (fate === 'done') return undefined
    if (fate === 'again') return { reason: 'fingerprint_returned', detail: detail ?? '' } as const
    if (fate === 'otherwise') return { reason: 'canary_failed', detail: detail ?? '' } as const
    if (signal.aborted) return { reason: 'cancelled', detail: '' } as const
    if (deps.clock.monotonic() >= deadline)
      return { reason: 'canary_undecided', detail: detail ?? 'it waits in its lane' } as const
    await deps.clock.sleep(pollMs, signal).catch(() => undefined)
  }
}

/** Waits until no event of the run waits in a lane, within the patience. */
async function settle({ runId, options, deps, signal }: Around): Promise<void> {
  const { patienceMs = 60_000 } = options
  const deadline = deps.clock.monotonic() + patienceMs
  while (!signal.aborted && deps.clock.monotonic() < deadline) {
    if ((await countRun(deps.database, runId)).waiting === 0) return
    await deps.clock.sleep(pollMs, signal).catch(() => undefined)
  }
}

async function databaseTime({ database }: ReplayDeps): Promise<string> {
  const { rows } = await database.query<{ now: string }>('SELECT clock_timestamp()::text AS now')
  return rows[0]?.now ?? ''
}

function missingIds(ids: readonly string[], rows: readonly Candidate[]): readonly string[] {
  const found = new Set(rows.map(({ dead_letter_id }) => dead_letter_id))
  return ids.filter((id) => !found.has(id.toLowerCase()))
}

const unknownLetters = (ids: readonly string[]): ReplayedKind => ({
  function: '',
  fingerprint: '',
  cause: '',
  replayed: 0,
  refused: ids.map((id) => ({ dead_letter_id: id, reason: 'not_found', message: 'there is no such dead letter' })),
  left: 0,
})
