// May a dead letter go back into its lane? What can be told from the letter is told here; what depends on the moment
// (somebody replayed it, its event is done) is decided by sluice.redrive under its locks.

import { dataHash, eventTypes, fromJsonFormat, rawType, type CloudEvent, type EventType } from '../../events/index.ts'

/** Why an event is not replayed. */
export type RefusedReplay =
  | 'not_found'
  | 'already_replayed'
  | 'already_discarded'
  | 'already_done'
  | 'in_lane'
  | 'id_conflict'
  | 'no_event'
  | 'no_identity'
  | 'no_lanes'
  | 'plain_record'
  | 'unknown_type'
  | 'data_invalid'

export const refusedReplay: Readonly<Record<RefusedReplay, string>> = {
  not_found: 'there is no such dead letter',
  already_replayed: 'the ledger says that it was replayed already',
  already_discarded: 'the ledger says that it was discarded',
  already_done: 'its event is done: another delivery of it succeeded',
  in_lane: 'its event waits in its lane already',
  id_conflict: 'its id was taken by an event with other data; send it anew under an id of its own',
  no_event: 'it never was an event; send it anew, corrected',
  no_identity:
    'its id came garbled, so nobody can tell whether it was done; look, then send it anew with sluice replay --new-ids',
  no_lanes: 'its function keeps no state, so it has no lanes; send the event to it with sluice replay',
  plain_record: 'it is a record that no one type of its topic fits; send it anew as a CloudEvent',
  unknown_type: 'no schema knows its type any more',
  data_invalid: 'the schema does not accept its data any more',
}

export type Judgement =
  | { readonly ok: true; readonly event: CloudEvent; readonly dataHash: Buffer }
  | { readonly ok: false; readonly reason: RefusedReplay; readonly message: string }

export const refusal = (reason: RefusedReplay, detail?: string): Judgement & { readonly ok: false } => ({
  ok: false,
  reason,
  message: detail === undefined ? refusedReplay[reason] : `${refusedReplay[reason]}: ${detail}`,
})

const byName: ReadonlyMap<string, EventType> = new Map(eventTypes.map((type) => [type.type, type]))

/** `event`: in the JSON format of CloudEvents. */
export function judgeEvent(event: unknown): Judgement {
  const decoded = event === null ? undefined : fromJsonFormat(event)
  if (decoded?.ok !== true) return refusal('no_event', decoded?.message)
  if (decoded.event.type === rawType) return refusal('plain_record')
  const type = byName.get(decoded.event.type)
  if (type === undefined) return refusal('unknown_type', decoded.event.type)
  const { data } = decoded.event
  if (!type.validate(data)) return refusal('data_invalid', type.explain(data))
  return { ok: true, event: decoded.event, dataHash: dataHash(decoded.event) }
}
