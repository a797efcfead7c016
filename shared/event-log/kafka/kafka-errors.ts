// Errors of kafkajs in the words of the event log, and what to do before the next try.

import type { Cluster } from 'kafkajs'
import { messageOf, SluiceError } from '../../errors/index.ts'
import { backoffDelay, type Clock } from '../../time/index.ts'

/** The protocol's name of an error, such as UNKNOWN_TOPIC_OR_PARTITION, of the error or of what caused it. */
export function protocolType(error: unknown): string {
  if (!(error instanceof Error)) return ''
  if ('type' in error && typeof error.type === 'string') return error.type
  return protocolType(error.cause)
}

export function logError(error: unknown): unknown {
  if (error instanceof SluiceError) return error
  if (!isOfKafka(error)) return error
  const type = protocolType(error)
  const text = messageOf(error)
  if (type === 'UNKNOWN_TOPIC_OR_PARTITION')
    return new SluiceError('unknown_topic', `Kafka does not know the topic: ${text}`, { cause: error })
  if (type === 'MESSAGE_TOO_LARGE')
    return new SluiceError('event_too_large', `Kafka refused a record: ${text}`, { cause: error })
  if (hasMembers.has(type))
    return new SluiceError('conflict', `A consumer is at work in this group: ${text}`, { cause: error })
  return new SluiceError('event_log_unavailable', `Kafka does not answer: ${text}`, { cause: error })
}

/** Answers to a commit from outside while the group has members. */
const hasMembers = new Set(['UNKNOWN_MEMBER_ID', 'ILLEGAL_GENERATION', 'REBALANCE_IN_PROGRESS'])

const isOfKafka = (error: unknown): boolean =>
  error instanceof Error && (error.name.startsWith('KafkaJS') || ('syscall' in error && 'errno' in error))

/** An abort of the caller's signal keeps its reason. */
export async function coded<T>(work: Promise<T>, signal?: AbortSignal): Promise<T> {
  try {
    return await work
  } catch (error) {
    throw signal?.aborted === true ? error : logError(error)
  }
}

const fewTries = 4
/** For what a broker that has just begun cannot answer yet, such as who coordinates a group. */
export const manyTries = 12
const backoff = { firstMs: 50, maxMs: 500 }

export interface RetryOptions {
  readonly cluster: Cluster
  readonly clock: Clock
  readonly tries?: number
}

/** Runs a request that may be repeated without harm; between tries it drops broken connections and asks anew who leads what. */
export async function withRetries<T>(
  { cluster, clock, tries = fewTries }: RetryOptions,
  work: () => Promise<T>,
): Promise<T> {
  for (let failures = 1; ; failures += 1) {
    try {
      return await work()
    } catch (error) {
      if (failures >= tries || !isRetriable(error)) throw error
      if (isClosedConnection(error)) cluster.removeBroker({ host: error.host, port: error.port })
      await clock.sleep(backoffDelay(backoff, failures, Math.random))
      await cluster.refreshMetadata().catch(() => undefined) // the next try shows whether it helped
    }
  }
}

/** kafkajs calls them final, but the second only says that nobody coordinates the group yet. */
const passes = new Set(['KafkaJSNumberOfRetriesExceeded', 'KafkaJSGroupCoordinatorNotFound'])

function isRetriable(error: unknown): boolean {
  if (!(error instanceof Error) || error.name === 'KafkaJSOffsetOutOfRange') return false
  return ('retriable' in error && error.retriable === true) || passes.has(error.name)
}

interface ClosedConnection extends Error {
  readonly host: string
  readonly port: number
}

const isClosedConnection = (error: unknown): error is ClosedConnection =>
  error instanceof Error && error.name === 'KafkaJSConnectionClosedError' && 'host' in error && 'port' in error
