// Reads what a run left behind, out of the database and the log, into files. Senders and bank wrote theirs themselves.

import type { Database } from '../../../shared/database/index.ts'
import type { EventLog } from '../../../shared/event-log/index.ts'
import type { Remainder, TopicRecord } from './history.ts'
import { readLines, writeList, writeRemainder } from './history-files.ts'

export interface CollectDeps {
  readonly database: Database
  readonly eventLog: EventLog
}

export interface CollectOptions {
  readonly folder: string
  readonly topics: readonly string[]
  readonly groups: readonly { readonly group: string; readonly topic: string }[]
}

export async function collectHistory({ folder, topics, groups }: CollectOptions, deps: CollectDeps): Promise<void> {
  const rows = async (sql: string) => (await deps.database.query(sql)).rows
  writeList(
    folder,
    'effects',
    await rows('SELECT actor, id, origin, key, amount, version, pid, emitted FROM crash.effect ORDER BY at'),
  )
  writeList(folder, 'counters', await rows('SELECT actor, key, value, version FROM crash.counter'))
  writeList(folder, 'outbox', await rows('SELECT topic, key, sequence, id, state FROM sluice.outbox'))
  writeList(folder, 'deadLetters', await rows('SELECT function, id, cause FROM sluice.dead_letter'))
  writeList(folder, 'ledger', [])
  const records = await Promise.all(topics.map((topic) => recordsOf(deps.eventLog, topic)))
  writeList(folder, 'records', records.flat())
  const dropped = readLines(`${folder}/drops.jsonl`).length
  writeRemainder(folder, { ...(await remainderOf(groups, deps)), dropped })
}

/** What is still to be done. */
export async function remainderOf(
  groups: CollectOptions['groups'],
  { database, eventLog }: CollectDeps,
): Promise<Omit<Remainder, 'dropped'>> {
  const { rows } = await database.query<Omit<Remainder, 'lag' | 'dropped'>>(`SELECT
    (SELECT count(*) FROM sluice.parked) AS parked, (SELECT count(*) FROM sluice.lane) AS lanes,
    (SELECT coalesce(sum(next - 1 - sent), 0)::bigint FROM sluice.outbox_key) AS "outboxPending"`)
  const lags = await Promise.all(groups.map((one) => lagOf(one, eventLog)))
  const { parked = 0, lanes = 0, outboxPending = 0 } = rows[0] ?? {}
  return { parked, lanes, outboxPending, lag: lags.reduce((sum, lag) => sum + lag, 0) }
}

async function lagOf({ group, topic }: CollectOptions['groups'][number], eventLog: EventLog): Promise<number> {
  const committed = await eventLog.committed(group, topic)
  const partitions = Array.from({ length: await eventLog.partitions(topic) }, (_, partition) => partition)
  const lags = await Promise.all(
    partitions.map(async (partition) => {
      const { earliest, next } = await eventLog.bounds(topic, partition)
      return next - (committed.get(partition) ?? earliest)
    }),
  )
  return lags.reduce((sum, lag) => sum + lag, 0)
}

async function recordsOf(eventLog: EventLog, topic: string): Promise<readonly TopicRecord[]> {
  const found: TopicRecord[] = []
  for (let partition = 0; partition < (await eventLog.partitions(topic)); partition += 1) {
    const { earliest, next } = await eventLog.bounds(topic, partition)
    for (let offset = earliest; offset < next;) {
      const records = await eventLog.read({ topic, partition, offset, maxRecords: 500, maxWaitMs: 2_000 })
      for (const record of records) {
        const header = (name: string) => record.headers.find(([candidate]) => candidate === name)?.[1]?.toString()
        const sequence = header('ce_sequence')
        found.push({
          topic,
          partition,
          offset: record.offset,
          key: record.key?.toString() ?? '',
          id: header('ce_id') ?? '',
          sequence: sequence === undefined ? null : Number(sequence),
        })
      }
      offset = (records.at(-1)?.offset ?? offset - 1) + 1
    }
  }
  return found
}
