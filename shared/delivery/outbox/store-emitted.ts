// The statements that put emitted events into the outbox, the last of their transaction.

import type { Queryable } from '../../database/index.ts'
import { outboxLeaseMs } from './claim.ts'
import type { Emission } from './emission.ts'

/** For one event, which is what nearly every transaction emits: the server has less to do for it. */
const oneStatement = {
  name: 'sluice.emit_one',
  text: `SELECT sluice.emit_one(p_topic => $1, p_key => $2, p_id => $3, p_tenant => $4, p_event => $5,
  p_token => $6, p_lease_ms => ${outboxLeaseMs}) AS sequence`,
}

const statement = {
  name: 'sluice.emit',
  text: `SELECT sequence FROM sluice.emit(p_topics => $1, p_keys => $2, p_ids => $3, p_tenants => $4, p_events => $5,
  p_token => $6, p_lease_ms => ${outboxLeaseMs}) AS sequence`,
}

/** Returns the sequences of what is leased to the token, in the order of the events; null for what is not. */
export async function storeEmitted(
  tx: Queryable,
  emitted: readonly Emission[],
  token: string | undefined,
): Promise<readonly (number | null)[]> {
  const [first, ...others] = emitted
  if (first === undefined) return []
  const one = others.length === 0
  const values = one
    ? [first.topic, first.key, first.id, first.tenant, first.json]
    : [
        emitted.map(({ topic }) => topic),
        emitted.map(({ key }) => key),
        emitted.map(({ id }) => id),
        emitted.map(({ tenant }) => tenant),
        emitted.map(({ json }) => json),
      ]
  const { rows } = await tx.query<{ readonly sequence: number | null }>(one ? oneStatement : statement, [
    ...values,
    token ?? null,
  ])
  return rows.map(({ sequence }) => sequence)
}
