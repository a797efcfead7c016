// The senders: each owns some keys and sends their events in order, several at once. What became of every try is in a file: it
// is acked, or certainly failed, or nobody knows; then the sender tries the same again, or goes on, as real ones do.

import { createWriteStream } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf, SluiceError } from '../../shared/errors/index.ts'
import type { AppendRecord, EventLog } from '../../shared/event-log/index.ts'
import { encodeRecord, topics, type CloudEvent } from '../../shared/events/index.ts'
import { topicOfSenders, type Send } from './history/history.ts'
import type { SeededRandom } from './seeded-random.ts'
import { sourceOfSenders, type PlannedSend } from './workload/plan-sends.ts'

export interface SendersOptions {
  readonly planned: readonly PlannedSend[]
  readonly file: string
  /** Events a second, all senders together. */
  readonly rate: number
}

export interface SendersDeps {
  readonly eventLog: EventLog
  readonly random: SeededRandom
  /** Resolves when the senders may go on: the rig is not too far behind. */
  readonly mayGoOn: () => Promise<void>
}

export interface Senders {
  readonly tried: () => number
  readonly outcomes: () => Readonly<Record<Send['outcome'], number>>
  readonly done: Promise<void>
}

const senderCount = 4
const batchSize = 10
const appendTimeoutMs = 15_000
const resendShare = 0.7
const mostCreditMs = 1_000

export function startSenders({ planned, file, rate }: SendersOptions, deps: SendersDeps): Senders {
  const { eventLog, random, mayGoOn } = deps
  const lines = createWriteStream(file, { flags: 'a' })
  const counts = { acked: 0, failed: 0, indeterminate: 0 }
  let nextAt = performance.now()
  let tried = 0

  /** After a pause the senders do not make up for it: that would be a flood, with all the faults of its length at once. */
  async function pace(events: number): Promise<void> {
    const at = Math.max(nextAt, performance.now() - mostCreditMs)
    nextAt = at + (events / rate) * 1_000
    const early = at - performance.now()
    if (early > 0) await sleep(early)
  }

  const acked = new Set<string>()

  function note(sends: readonly PlannedSend[], outcome: Send['outcome'], again: boolean): void {
    for (const { oversized: _, ...send } of sends) {
      counts[outcome] += 1
      if (outcome === 'acked' && send.kind !== 'conflict') acked.add(send.id)
      const kind = again && send.kind === 'first' ? 'repeat' : send.kind
      lines.write(`${JSON.stringify({ ...send, kind, outcome, at: Date.now() } satisfies Send)}\n`)
    }
  }

  async function sendBatch(batch: readonly PlannedSend[]): Promise<void> {
    for (let again = false; ; again = true) {
      const outcome = await append(eventLog, batch)
      note(batch, outcome, again)
      if (outcome !== 'indeterminate' || !random.chance(resendShare)) return
      await sleep(200)
    }
  }

  async function run(own: readonly PlannedSend[]): Promise<void> {
    for (const batch of batchesOf(own)) {
      await mayGoOn()
      await pace(batch.length)
      tried += batch.length
      // Other data under an id is a conflict only where the first is known to be: else it may itself be the first to arrive.
      const sound = batch.filter(({ kind, id }) => kind !== 'conflict' || acked.has(id))
      if (sound.length > 0) await sendBatch(sound)
    }
  }

  const owners = Map.groupBy(planned, ({ key }) => ownerOf(key))
  const done = Promise.all([...owners.values()].map(run)).then(
    () => new Promise<void>((resolve) => lines.end(() => resolve())),
  )
  return { tried: () => tried, outcomes: () => counts, done }
}

const ownerOf = (key: string): number => Buffer.from(key).reduce((sum, byte) => sum + byte, 0) % senderCount

/** What is too large goes alone: the log refuses the whole call. */
function* batchesOf(sends: readonly PlannedSend[]): Generator<readonly PlannedSend[]> {
  let batch: PlannedSend[] = []
  for (const send of sends) {
    if (batch.length >= batchSize || (send.oversized && batch.length > 0)) {
      yield batch
      batch = []
    }
    batch.push(send)
    if (!send.oversized) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}

async function append(eventLog: EventLog, batch: readonly PlannedSend[]): Promise<Send['outcome']> {
  try {
    await eventLog.append(batch.map(recordOf), { signal: AbortSignal.timeout(appendTimeoutMs) })
    return 'acked'
  } catch (error) {
    if (error instanceof SluiceError && error.code === 'event_too_large') return 'failed'
    if (error instanceof TypeError) throw new Error(`the sender is wrong: ${messageOf(error)}`, { cause: error })
    return 'indeterminate'
  }
}

const oversizedBytes = 1_500_000

export function recordOf({ id, key, number, amount, conduct, oversized }: PlannedSend): AppendRecord {
  const fill = oversized ? { fill: 'x'.repeat(oversizedBytes) } : {}
  const data = {
    session_id: key,
    turn_id: `turn-${number}`,
    call_id: id,
    tool: 'count',
    arguments: { number, amount, conduct, ...fill },
  }
  const event: CloudEvent = {
    specversion: '1.0',
    id,
    source: sourceOfSenders,
    type: topics.toolRequests.types[0].type,
    time: new Date().toISOString(),
    datacontenttype: 'application/json',
    data,
    extensions: { partitionkey: key, tenant: `tenant-${number % 20}` },
  }
  return { topic: topicOfSenders, ...encodeRecord(event, { key }) }
}
