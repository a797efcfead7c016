// Writes with an idempotent producer: the broker drops what kafkajs sends again after a lost answer.
//
// W1  After a write that failed the producer is thrown away. kafkajs would give the next records the sequence numbers of the
//     failed ones; had those been stored, the broker would take the new records for repeats, acknowledge and drop them.
// W2  A record batch stays below the broker's message.max.bytes, so large records travel in several rounds, in order.

import type { Kafka, Producer, RecordMetadata } from 'kafkajs'
import { SluiceError } from '../../errors/index.ts'
import type { Clock } from '../../time/index.ts'
import type { Position } from '../event-log.ts'
import type { PlacedRecord } from '../place-records.ts'
import { maxRecordBytes, recordBytes } from '../record-limits.ts'
import { requestTimeoutMs } from './kafka-client.ts'
import { toMessage } from './kafka-records.ts'

export interface KafkaWriter {
  write(placed: readonly PlacedRecord[]): Promise<readonly Position[]>
  stop(): Promise<void>
}

export interface KafkaWriterOptions {
  /** Longest write, retries included, in milliseconds. */
  readonly writeTimeoutMs: number
}

export function createKafkaWriter(
  { writeTimeoutMs }: KafkaWriterOptions,
  { kafka, clock }: { readonly kafka: Kafka; readonly clock: Clock },
): KafkaWriter {
  let producer: Promise<Producer> | undefined

  async function open(): Promise<Producer> {
    const created = kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      createPartitioner:
        () =>
        ({ message }) =>
          message.partition ?? 0, // always given
      retry: { retries: 8 },
    })
    await created.connect()
    return created
  }

  function discard(): void {
    const old = producer
    producer = undefined
    old?.then((opened) => opened.disconnect()).catch(() => undefined)
  }

  async function send(round: readonly Entry[]): Promise<readonly RecordMetadata[]> {
    const opened = await (producer ??= open())
    const topics = Map.groupBy(round, ({ placed }) => placed.record.topic)
    return await opened.sendBatch({
      acks: -1,
      timeout: requestTimeoutMs,
      topicMessages: [...topics].map(([topic, entries]) => ({
        topic,
        messages: entries.map(({ placed: { record, partition } }) => toMessage(record, partition)),
      })),
    })
  }

  async function writeAll(placed: readonly PlacedRecord[]): Promise<readonly Position[]> {
    const positions: Position[] = []
    for (const round of roundsOf(placed)) {
      const answers = await send(round)
      const next = new Map(
        answers.map(({ topicName, partition, baseOffset }) => [`${topicName} ${partition}`, Number(baseOffset)]),
      )
      for (const {
        at,
        placed: { record, partition },
      } of round) {
        const name = `${record.topic} ${partition}`
        const offset = next.get(name)
        if (offset === undefined)
          throw new SluiceError('internal', `Kafka did not say where it stored a record of ${name}`)
        positions[at] = { partition, offset }
        next.set(name, offset + 1)
      }
    }
    return positions
  }

  return {
    write: async (placed) => {
      const timeout = Promise.withResolvers<never>()
      const timer = clock.after(writeTimeoutMs, () =>
        timeout.reject(
          new SluiceError('event_log_unavailable', `Kafka took longer than ${writeTimeoutMs} ms to store records`),
        ),
      )
      try {
        return await Promise.race([writeAll(placed), timeout.promise])
      } catch (error) {
        discard()
        throw error
      } finally {
        timer.cancel()
      }
    },
    stop: async () => {
      const opened = await producer?.catch(() => undefined)
      await opened?.disconnect()
    },
  }
}

interface Entry {
  readonly at: number
  readonly placed: PlacedRecord
}

/** A round holds, of each partition, the next records that fit in one batch. */
function roundsOf(placed: readonly PlacedRecord[]): readonly (readonly Entry[])[] {
  const rounds: Entry[][] = []
  const filled = new Map<string, { round: number; bytes: number }>()
  for (const [at, entry] of placed.entries()) {
    const name = `${entry.record.topic} ${entry.partition}`
    const state = filled.get(name) ?? { round: 0, bytes: 0 }
    const bytes = recordBytes(entry.record)
    if (state.bytes > 0 && state.bytes + bytes > maxRecordBytes) {
      state.round += 1
      state.bytes = 0
    }
    state.bytes += bytes
    filled.set(name, state)
    const round = (rounds[state.round] ??= [])
    round.push({ at, placed: entry })
  }
  return rounds
}
