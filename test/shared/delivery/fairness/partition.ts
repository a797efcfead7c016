// A partition whose records an ordered KafkaSource brings to a function one at a time, and a lane driver: what keys that share
// a partition have between them.

import { randomBytes } from 'node:crypto'
import type { TestContext } from 'node:test'
import {
  createHttpSender,
  createKafkaSource,
  upstreamTiming,
  type Sender,
} from '../../../../local/kafka-source/index.ts'
import { createLaneDriver } from '../../../../shared/delivery/index.ts'
import { encodeRecord } from '../../../../shared/events/index.ts'
import { atEnd } from '../../../support/index.ts'
import type { Workbench } from '../workbench.ts'

const topic = 'conversation.inbound'
export const onePartition = [{ name: topic, partitions: 1 }]

/** A function of this URL takes what `appendMessage` appends. */
export async function startPartition(
  t: TestContext,
  bench: Workbench,
  { url, sender = createHttpSender({ clock: bench.clock }) }: { readonly url: string; readonly sender?: Sender },
): Promise<void> {
  const driver = createLaneDriver({ functionUrl: () => url }, bench)
  atEnd(t, () => driver.stop())
  await driver.start(AbortSignal.timeout(10_000))
  const source = createKafkaSource(
    { source: sourceTo(url), ...upstreamTiming, wake: 'append', pollEveryMs: 50 },
    {
      log: bench.eventLog,
      sender,
      clock: bench.clock,
      logger: bench.log,
      spanId: () => randomBytes(8).toString('hex'),
    },
  )
  atEnd(t, () => source.stop())
  await source.start(AbortSignal.timeout(10_000))
}

const sourceTo = (uri: string) =>
  ({
    metadata: { name: 'fair', namespace: 'test' },
    spec: {
      topics: [topic],
      consumerGroup: 'fair',
      ordering: 'ordered',
      initialOffset: 'earliest',
      delivery: { retry: 20, backoffPolicy: 'linear', backoffDelay: 'PT0.5S' },
      sink: { uri },
      ceOverrides: { extensions: { sluicetopic: topic } },
    },
  }) as const

export interface Message {
  readonly id: string
  readonly key: string
  /** What the function makes of it. */
  readonly kind: string
}

export const appendMessage = ({ eventLog }: Workbench, { id, key, kind }: Message): Promise<unknown> =>
  eventLog.append([
    {
      topic,
      ...encodeRecord(
        {
          specversion: '1.0',
          id,
          source: '/test',
          type: 'conversation.message.received.v1',
          time: new Date().toISOString(),
          datacontenttype: 'application/json',
          data: { session_id: key, turn_id: id, message: kind, strategy: 'enqueue' },
          extensions: { partitionkey: key, tenant: 'acme' },
        },
        { key },
      ),
    },
  ])

/** Events of these ids that are done or dead letters. */
export async function countSettled({ rows }: Workbench, ids: readonly string[]): Promise<number> {
  const sql = `SELECT count(*)::int AS settled FROM sluice.inbox WHERE id = ANY ($1) AND state <> 'parked'`
  return (await rows<{ settled: number }>(sql, [ids]))[0]?.settled ?? 0
}
