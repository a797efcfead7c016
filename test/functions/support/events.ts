// CloudEvents as a KafkaSource would bring them, for tests that talk to one function.

import assert from 'node:assert/strict'
import { v7 as uuid } from 'uuid'
import type { Database } from '../../../shared/database/index.ts'
import { topicOfType, type EventType } from '../../../shared/events/index.ts'

export interface SendOptions {
  readonly id?: string
  readonly tenant?: string
}

/** Returns the status of the answer. */
export async function sendEvent<Type extends string, Data extends { readonly session_id: string }>(
  port: number,
  event: { readonly type: EventType<Type, Data>; readonly data: Data },
  { id = uuid(), tenant = 'local' }: SendOptions = {},
): Promise<number> {
  const { session_id: key } = event.data
  const topic = topicOfType(event.type.type)
  assert.ok(topic !== undefined)
  const body = {
    specversion: '1.0',
    id,
    source: '/test',
    type: event.type.type,
    datacontenttype: 'application/json',
    time: new Date().toISOString(),
    tenant,
    sessionid: key,
    partitionkey: key,
    sluicetopic: topic.name,
    data: event.data,
  }
  const headers = { 'content-type': 'application/cloudevents+json', 'kn-namespace': 'test' }
  const response = await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', headers, body: JSON.stringify(body) })
  await response.text()
  return response.status
}

/** Data of the events of a topic that were emitted for a session, in order. */
export async function emitted(
  database: Database,
  topic: string,
  sessionId: string,
): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const { rows } = await database.query<{ data: Record<string, unknown> }>(
    `SELECT event->'data' AS data FROM sluice.outbox WHERE topic = $1 AND key = $2 ORDER BY sequence`,
    [topic, sessionId],
  )
  return rows.map(({ data }) => data)
}

/** Causes of the dead letters of a function. */
export async function deadLetters(database: Database, name: string): Promise<readonly string[]> {
  const { rows } = await database.query<{ cause: string }>(
    `SELECT cause FROM sluice.dead_letter WHERE function = $1 ORDER BY at`,
    [name],
  )
  return rows.map(({ cause }) => cause)
}
