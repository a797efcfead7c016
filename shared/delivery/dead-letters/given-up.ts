// The outer net: an event that its KafkaSource gave up came past our database. What the inbox knows of it decides whether it is
// a dead letter; if so, it is recorded like any other, so that it can be replayed.
//
// G1  An event that was taken is noted only, whatever its source believes: it is done, in its lane, or a dead letter already.
// G2  The dead letter takes the event's place in the inbox, so a late delivery of it is absorbed.
// G3  An event whose identity cannot be told is recorded without one, once for each record; it cannot be replayed.
// G4  A record that is no CloudEvent becomes an event of the one type of its topic, as the function's receiver takes it.

import type { Queryable } from '../../database/index.ts'
import type { ErrorCode } from '../../errors/index.ts'
import { dataHash, parseJson, rawType, toJsonFormat, topicOf, type CloudEvent } from '../../events/index.ts'
import { currentTrace, formatTraceparent, newTrace } from '../../telemetry/index.ts'
import { laneKeyOf } from '../inbox/lane-key.ts'
import { insertDeadLetter } from './dead-letter.ts'
import { fingerprintOf } from './fingerprint.ts'

export interface GivenUp {
  /** Whose source it was. */
  readonly function: string
  /** As the function would have got it. */
  readonly event: CloudEvent
  /** False: source and id may be those of another event, too. */
  readonly identified: boolean
  readonly topic: string
  readonly key: string | undefined
  readonly tenant: string
  readonly cause: ErrorCode
  readonly message: string
}

/** `done`, `parked`, `dead`: what the inbox had of it already. `known`: this very record is a dead letter already, or was one. */
export type Found = 'recorded' | 'done' | 'parked' | 'dead' | 'known'

// Its mark may be gone while its record is still in the dead-letter topic: what was replayed is known by its dead letter for longer.
const takeSql = `INSERT INTO sluice.inbox (function, source, id, state, data_hash) SELECT $1, $2, $3, 'dead', $4
WHERE NOT EXISTS (SELECT FROM sluice.dead_letter WHERE function = $1 AND source = $2 AND id = $3 AND state = 'replayed')
ON CONFLICT DO NOTHING`
const stateSql = `SELECT state FROM sluice.inbox WHERE function = $1 AND source = $2 AND id = $3`
const originSql = `UPDATE sluice.dead_letter SET origin = 'source' WHERE dead_letter_id = $1`

const versions = { functionVersion: 'unknown', configVersion: 'unknown' }

export async function recordGivenUp(tx: Queryable, givenUp: GivenUp): Promise<Found> {
  const { function: name, identified, topic, key, tenant, cause, message } = givenUp
  const event = boundToTopic(givenUp)
  const { source, id } = event
  if (identified) {
    const { rowCount } = await tx.query(takeSql, [name, source, id, dataHash(event)])
    if (rowCount === 0) return stateOf(tx, [name, source, id])
  }
  const json = JSON.stringify(toJsonFormat(event))
  const death = {
    function: name,
    source: identified ? source : null,
    id: identified ? id : null,
    topic,
    partition: null,
    offset: null,
    key: laneKeyOf(key === undefined ? { event, raw: Buffer.alloc(0) } : { event, key, raw: Buffer.alloc(0) }, 'key'),
    tenant,
    cause,
    message,
    fingerprint: fingerprintOf(cause),
    attempts: 0,
    raw: Buffer.from(json),
    headers: null,
    event: json,
    trace: event.extensions['traceparent'] ?? formatTraceparent(currentTrace() ?? newTrace()),
  }
  const deadLetterId = await insertDeadLetter(tx, death, { ...versions, taken: identified })
  if (deadLetterId === undefined) return 'known'
  await tx.query(originSql, [deadLetterId])
  return 'recorded'
}

function boundToTopic({ event, topic }: GivenUp): CloudEvent {
  const types = topicOf(topic)?.types ?? []
  const [type] = types
  if (event.type !== rawType || type === undefined || types.length > 1) return event
  const { data } = event
  const text = data instanceof Uint8Array ? Buffer.from(data) : typeof data === 'string' ? Buffer.from(data) : undefined
  const parsed = text === undefined ? ({ ok: true, value: data } as const) : parseJson(text)
  if (!parsed.ok || !type.validate(parsed.value)) return event
  return { ...event, type: type.type, datacontenttype: 'application/json', data: parsed.value }
}

async function stateOf(tx: Queryable, identity: readonly string[]): Promise<Found> {
  const { rows } = await tx.query<{ state: 'done' | 'parked' | 'dead' }>(stateSql, identity)
  return rows[0]?.state ?? 'known'
}
