// The journal of one event's steps. Starts and ends are fenced like every write of a run.
//
// J1  A finished step is never run again, whatever happens to the run, the process or the lease.
// J2  The start of a step is durable before its work begins, so that a `once` step whose end was not seen is known as such.

import { createHash } from 'node:crypto'
import type { Queryable } from '../../database/index.ts'
import { SluiceError } from '../../errors/index.ts'
import type { StepEffect } from '../handler.ts'
import { leaseLost, type LaneRun } from '../lanes/lane-run.ts'

export type JournalEffect = StepEffect | 'transaction'

export type StepStart =
  | { readonly decision: 'run' | 'unknown' }
  /** `result` is JSON text; null when the step returned nothing. */
  | { readonly decision: 'done'; readonly result: string | null }

export interface StepName {
  readonly name: string
  readonly effect: JournalEffect
}

const startSql = `SELECT decision, result FROM sluice.start_step(p_function => $1, p_key => $2, p_token => $3, p_epoch => $4,
  p_source => $5, p_id => $6, p_name => $7, p_effect => $8)`

const finishSql = `SELECT sluice.finish_step(p_function => $1, p_key => $2, p_token => $3, p_epoch => $4,
  p_source => $5, p_id => $6, p_name => $7, p_effect => $8, p_result => $9) AS held`

const findSql = `SELECT effect, result::text FROM sluice.step
WHERE function = $1 AND source = $2 AND id = $3 AND name = $4 AND state = 'done'`

const fenced = ({ function: name, key, token, epoch, source, id }: LaneRun): readonly unknown[] => [
  name,
  key,
  token,
  epoch,
  source,
  id,
]

/** @throws SluiceError `lease_lost`; `internal` when the name was used for a step with another effect. */
export async function startStep(queryable: Queryable, run: LaneRun, { name, effect }: StepName): Promise<StepStart> {
  const { rows } = await queryable.query<{ decision: string; result: string | null }>(startSql, [
    ...fenced(run),
    name,
    effect,
  ])
  const { decision = 'lost', result = null } = rows[0] ?? {}
  if (decision === 'done') return { decision, result }
  if (decision === 'run' || decision === 'unknown') return { decision }
  if (decision === 'lost') throw leaseLost()
  throw otherEffect({ name, effect })
}

const otherEffect = ({ name, effect }: StepName): SluiceError =>
  new SluiceError(
    'internal',
    `Step '${name}' was journalled with another effect than '${effect}'; give each step its own name`,
  )

/** The end of a step that has no start, if it is journalled. */
export async function findFinishedStep(
  queryable: Queryable,
  run: LaneRun,
  { name, effect }: StepName,
): Promise<StepStart> {
  const { rows } = await queryable.query<{ effect: string; result: string | null }>(findSql, [
    run.function,
    run.source,
    run.id,
    name,
  ])
  const [found] = rows
  if (found === undefined) return { decision: 'run' }
  if (found.effect !== effect) throw otherEffect({ name, effect })
  return { decision: 'done', result: found.result }
}

/** @throws SluiceError `lease_lost`. */
export async function finishStep(
  queryable: Queryable,
  run: LaneRun,
  { name, effect, result }: StepName & { readonly result: string | null },
): Promise<void> {
  const { rows } = await queryable.query<{ held: boolean }>(finishSql, [...fenced(run), name, effect, result])
  if (rows[0]?.held !== true) throw leaseLost()
}

/** The same for every run of the step of the event, and different for every other step. 64 hex digits. */
export const idempotencyKeyOf = (
  { function: name, source, id }: Pick<LaneRun, 'function' | 'source' | 'id'>,
  step: string,
): string =>
  createHash('sha256')
    .update(JSON.stringify([name, source, id, step]))
    .digest('hex')

/** Largest result of a step, in bytes of JSON. */
export const maxResultBytes = 1_048_576

/** JSON text of a result; null for undefined. @throws SluiceError `data_invalid` for what is not JSON, or too much of it. */
export function resultJson(step: string, result: unknown): string | null {
  if (result === undefined) return null
  let json: string | undefined
  try {
    json = JSON.stringify(result)
  } catch (cause) {
    throw new SluiceError('data_invalid', `The result of step '${step}' is not JSON`, { cause })
  }
  if (json === undefined) throw new SluiceError('data_invalid', `The result of step '${step}' is not JSON`)
  const bytes = Buffer.byteLength(json)
  if (bytes <= maxResultBytes) return json
  throw new SluiceError(
    'data_invalid',
    `The result of step '${step}' has ${bytes} bytes of JSON; the journal takes ${maxResultBytes}`,
  )
}

/** What the step's function returned, as it comes back from JSON. */
export const resultOf = (json: string | null): unknown => (json === null ? undefined : JSON.parse(json))
