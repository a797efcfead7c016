// Writes a dead letter and its copy in the transaction that takes the event off its way.

import type { Transaction } from '../../database/index.ts'
import type { ErrorCode } from '../../errors/index.ts'
import { currentTrace, formatTraceparent, newTrace } from '../../telemetry/index.ts'
import type { Refused } from '../contract.ts'
import type { DeliveryDeps } from '../deps.ts'
import type { ReceivedEvent } from '../inbox/received-event.ts'
import type { LaneRun } from '../lanes/lane-run.ts'
import type { Emission } from '../outbox/emission.ts'
import { deadLetterCopy } from './copy.ts'
import { insertDeadLetter, type Death } from './dead-letter.ts'
import { fingerprintOf } from './fingerprint.ts'

export interface CauseOfDeath {
  readonly function: string
  readonly code: ErrorCode
  readonly message: string
  readonly attempts: number
  readonly error?: unknown
}

export type Remains = Death & { readonly recordKey: string | null }

/** What an event that was taken has, whether it comes from its source or from its lane. */
interface Taken {
  readonly source: string
  readonly id: string
  readonly key: string
  readonly tenant: string
  readonly raw: Buffer
  readonly topic: string | null | undefined
  readonly partition: number | null | undefined
  readonly offset: number | null | undefined
  readonly recordKey: string | null | undefined
}

export const remainsOfEvent = (event: ReceivedEvent, cause: CauseOfDeath): Remains =>
  remainsOf(event, cause, { trace: event.trace, event: event.json() })

export const remainsOfRun = (run: LaneRun, cause: CauseOfDeath): Remains =>
  remainsOf(run, cause, { trace: traceNow(), event: run.event })

function remainsOf(
  { source, id, key, tenant, raw, topic, partition, offset, recordKey }: Taken,
  cause: CauseOfDeath,
  rest: Pick<Remains, 'trace' | 'event'>,
): Remains {
  const place = {
    topic: topic ?? null,
    partition: partition ?? null,
    offset: offset ?? null,
    recordKey: recordKey ?? null,
  }
  return { ...facts(cause), ...place, ...rest, source, id, key, tenant, raw, headers: null }
}

export function remainsOfRefused(refused: Refused, cause: CauseOfDeath): Remains {
  const { raw, headers, topic = null, partition = null, offset = null, key = null, tenant = '' } = refused
  const place = { topic, partition, offset, recordKey: key }
  return {
    ...facts(cause),
    ...place,
    source: null,
    id: null,
    key: null,
    tenant,
    raw,
    trace: traceNow(),
    headers: JSON.stringify(keptHeaders(headers)),
    event: null,
  }
}

const facts = ({ function: name, code, message, attempts, error }: CauseOfDeath) => ({
  function: name,
  cause: code,
  message,
  attempts,
  fingerprint: fingerprintOf(code, error),
})

/** Credentials, cookies and whatever else a caller says of itself stay out of the database. */
const keptHeaders = (headers: Refused['headers']): Refused['headers'] =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith('ce-') || kept.has(name)))

const kept = new Set(['content-type', 'content-length', 'kn-namespace', 'traceparent'])

const traceNow = (): string => formatTraceparent(currentTrace() ?? newTrace())

const unknownVersions = { functionVersion: 'unknown', configVersion: 'unknown' }

export interface Burial {
  /** False when this dead letter was there already. */
  readonly isNew: boolean
  /** To be published after COMMIT. */
  readonly emitted: readonly Emission[]
}

/** `taken`: it is taken off its way in this transaction, which guards against repeats. Its inbox row, if it has one, becomes `dead`. */
export async function bury(
  tx: Transaction,
  { taken, ...remains }: Remains & { readonly taken: boolean },
  { outbox, versions = unknownVersions }: Pick<DeliveryDeps, 'outbox' | 'versions'>,
): Promise<Burial> {
  if (taken) await tx.query(deadSql, [remains.function, remains.source, remains.id])
  const id = await insertDeadLetter(tx, remains, { ...versions, taken })
  if (id === undefined) return { isNew: false, emitted: [] }
  const copy = deadLetterCopy(remains, id)
  const emitted = copy === undefined ? [] : [copy]
  await outbox.store(tx, emitted)
  return { isNew: true, emitted }
}

const deadSql = `UPDATE sluice.inbox SET state = 'dead', at = clock_timestamp()
WHERE function = $1 AND source = $2 AND id = $3 AND state <> 'dead'`
