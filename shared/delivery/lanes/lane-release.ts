// What a person decides about the head of a lane: try it again, or go on without it.
//
// LR1  A lane that a run has is left alone; a lane that waits, for a person or for its time, may be released, a held one skipped.
// LR2  With `position` only that event is meant: when another one has come to the head meanwhile, nothing happens.
// LR3  A skipped event becomes a dead letter in the transaction that takes it from the lane, with the cause, the attempts and
//      the fingerprint of the failure that held it.

import type { Database } from '../../database/index.ts'
import { isErrorCode, SluiceError } from '../../errors/index.ts'
import { laneChannel } from '../channels.ts'
import { bury, remainsOfRun } from '../dead-letters/bury.ts'
import type { DeliveryDeps } from '../deps.ts'
import { finishRun, leaseMs, type LaneRun } from './lane-run.ts'
import { noLane, type LaneName } from './lane-view.ts'

export interface LaneHead extends LaneName {
  /** Of the event that was seen at the head. Undefined: whichever is there. */
  readonly position?: number | undefined
}

type Refusal = 'none' | 'running' | 'moved' | 'flowing'

const valuesOf = ({ function: name, key, tenant, position }: LaneHead): readonly unknown[] => [
  name,
  key,
  tenant ?? null,
  position ?? null,
]

/** The head is tried again now, from attempt 0, as it is. @throws SluiceError `not_found`, `conflict`. */
export async function releaseLane(database: Pick<Database, 'query' | 'notify'>, lane: LaneHead): Promise<void> {
  const { rows } = await database.query<{ decision: 'released' | Refusal }>(releaseSql, valuesOf(lane))
  const { decision } = rows[0] ?? { decision: 'none' }
  if (decision !== 'released') throw refused(decision)
  await database.notify(laneChannel, lane.function).catch(() => undefined) // the driver looks by itself, too
}

export interface SkippedEvent {
  readonly position: number
  readonly source: string
  readonly id: string
}

interface TakenRow extends Omit<LaneRun, 'function' | 'key' | 'exhausted'> {
  readonly fingerprint: string | null
}

/** The head of a held lane becomes a dead letter and the lane goes on. @throws SluiceError `not_found`, `conflict`. */
export async function skipHead(
  lane: LaneHead,
  { database, outbox }: Pick<DeliveryDeps, 'database' | 'outbox'>,
): Promise<SkippedEvent> {
  const { function: name, key } = lane
  const { skipped, emitted } = await database.transaction(async (tx) => {
    const { rows } = await tx.query<({ decision: 'ready' } & TakenRow) | { decision: Refusal }>(takeSql, [
      ...valuesOf(lane),
      leaseMs,
    ])
    const taken = rows[0] ?? { decision: 'none' }
    if (taken.decision !== 'ready') throw refused(taken.decision)
    const { fingerprint, decision: _ready, ...columns } = taken
    const run: LaneRun = { ...columns, function: name, key, exhausted: true }
    await finishRun(tx, run, 'dead')
    const code = isErrorCode(run.cause) ? run.cause : 'handler_failed'
    const cause = { function: name, code, message: run.detail ?? 'Skipped by a person', attempts: run.attempts }
    const remains = remainsOfRun(run, cause)
    const buried = { ...remains, fingerprint: fingerprint ?? remains.fingerprint, taken: true }
    const { position, source, id } = run
    return { skipped: { position, source, id }, emitted: (await bury(tx, buried, { outbox })).emitted }
  })
  outbox.publish(emitted)
  await database.notify(laneChannel, name).catch(() => undefined)
  return skipped
}

const releaseSql = 'SELECT sluice.release_lane($1, $2, $3, $4) AS decision'

const takeSql = `SELECT decision, token, epoch, position, attempts, source, id, tenant, event, raw, topic, partition,
  log_offset AS "offset", record_key AS "recordKey", cause, detail, fingerprint
FROM sluice.take_held_lane(p_function => $1, p_key => $2, p_tenant => $3, p_position => $4, p_lease_ms => $5)`

const reasons = {
  running: 'a run has the lane now',
  moved: 'another event is at the head of the lane now',
  flowing: 'the lane is not held',
} as const satisfies Record<Exclude<Refusal, 'none'>, string>

const refused = (decision: Refusal): SluiceError =>
  decision === 'none'
    ? noLane()
    : new SluiceError('conflict', `Nothing was changed: ${reasons[decision]}`, {
        details: { detail: reasons[decision] },
      })
