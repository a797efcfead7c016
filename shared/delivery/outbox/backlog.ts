// How many events wait to be published, and the refusal of more than the outbox is to hold: while the log is away what was
// promised is kept in Postgres, which is not to fill up.
//
// B1  A request costs no query: the count is that of the last look, plus what this process has let in since.
// B2  A look reads at most `most` rows of the keys that have something pending, so that it stays cheap when much waits.
// B3  Processes look each for itself. Together they may pass the bound by what they let in between two looks.

import type { Queryable } from '../../database/index.ts'
import { SluiceError } from '../../errors/index.ts'
import type { Component } from '../../lifecycle/index.ts'
import type { Clock } from '../../time/index.ts'

export interface Backlog extends Component {
  /** Before a request that will emit is begun. @throws SluiceError `outbox_full`, or what the database threw. */
  admit(): Promise<void>
}

export interface BacklogOptions {
  /** Most events that may wait. */
  readonly most: number
  /** Time between two looks while something waits. Default 1,000. */
  readonly everyMs?: number
}

export interface BacklogDeps {
  readonly database: Queryable
  readonly clock: Clock
}

const retryAfterMs = 5_000
/** Looks take at most this share of one connection's time. */
const lookShare = 0.05

const waitingSql = `SELECT coalesce(sum(waiting), 0)::bigint AS waiting FROM (
  SELECT next - 1 - sent AS waiting FROM sluice.outbox_key WHERE sent + 1 < next LIMIT $1) AS keys`

export function createBacklog({ most, everyMs = 1_000 }: BacklogOptions, { database, clock }: BacklogDeps): Backlog {
  let seen = 0
  let admitted = 0
  let looking: Promise<void> | undefined
  let timer = { cancel: (): void => undefined }
  let stopped = false

  const lookOnce = (): Promise<void> => (looking ??= look().finally(() => (looking = undefined)))

  async function look(): Promise<void> {
    const begun = clock.monotonic()
    const before = admitted
    try {
      const { rows } = await database.query<{ waiting: number }>(waitingSql, [most])
      seen = rows[0]?.waiting ?? 0
      admitted -= before // what was let in since is not in the count
    } finally {
      schedule(Math.max(everyMs, (clock.monotonic() - begun) / lookShare))
    }
  }

  function schedule(ms: number): void {
    timer.cancel()
    if (stopped) return
    timer = clock.after(ms, () => void (seen + admitted > 0 ? lookOnce().catch(() => undefined) : schedule(everyMs)), {
      unref: true,
    })
  }

  return {
    name: 'outbox backlog',
    start: async () => schedule(everyMs),
    stop: async () => {
      stopped = true
      timer.cancel()
      await looking?.catch(() => undefined)
    },
    health: () => ({ status: seen < most ? 'up' : 'down' }),
    admit: async () => {
      if (seen < most && seen + admitted >= most) await lookOnce() // most of these may be out again
      if (seen + admitted >= most) {
        throw new SluiceError('outbox_full', `${seen} events wait to be published; ${most} may`, { retryAfterMs })
      }
      admitted += 1
    },
  }
}
