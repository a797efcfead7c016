// The one place that loads kafkajs and says how it connects, retries and logs.

import { createConnection, isIP } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { Cluster, ISocketFactory, Kafka, LogEntry } from 'kafkajs'
import type { Logger } from '../../telemetry/index.ts'
import { saslOf, type KafkaSecurity } from './kafka-security.ts'
import { forgetBrokenAnswers } from './whole-answers.ts'

export interface KafkaClientOptions {
  /** Bootstrap servers, host:port. */
  readonly brokers: readonly string[]
  /** Shown in the broker's logs and quotas: the name of the function. */
  readonly clientId: string
  /** Default: neither encrypted nor authenticated. */
  readonly security?: KafkaSecurity
  /** How sockets are made. Default: TCP, or TLS where the security says so. */
  readonly connect?: ISocketFactory
}

const openSocket: ISocketFactory = ({ host, port, ssl, onConnect }) => {
  const to = { host, port, keepAlive: true, keepAliveInitialDelay: 30_000 }
  // The broker's certificate must name the host; an address has no name to ask for.
  return ssl === undefined || ssl === null
    ? createConnection(to, onConnect)
    : connectTls({ ...to, ...serverName(host), ...ssl }, onConnect)
}

const serverName = (host: string): { readonly servername?: string } => (isIP(host) === 0 ? { servername: host } : {})

/** Longest wait for an answer of a broker, in milliseconds. */
export const requestTimeoutMs = 10_000

/** Loads kafkajs, so that a process without Kafka does not carry it. Connects to nothing. */
export async function loadKafka(
  { brokers, clientId, security, connect = openSocket }: KafkaClientOptions,
  { log }: { readonly log: Logger },
): Promise<Kafka> {
  const { default: kafkajs } = await import('kafkajs')
  await forgetBrokenAnswers()
  return new kafkajs.Kafka({
    clientId,
    brokers: [...brokers],
    ...(security?.tls === true ? { ssl: {} } : {}),
    ...saslOf(security),
    connectionTimeout: 3_000,
    requestTimeout: requestTimeoutMs,
    retry: { retries: 5, initialRetryTime: 50, maxRetryTime: 1_000, factor: 0.5 },
    logLevel: kafkajs.logLevel.WARN,
    logCreator: () => (entry) => writeLog(log, entry),
    // While a broker is away kafkajs may wait for one socket a dozen times; Node would take that for a leak and say so.
    socketFactory: (socket) => connect(socket).setMaxListeners(0),
  })
}

// What kafkajs calls an error is mostly one try of several; when the last one fails the caller hears of it. So: debug.
function writeLog(log: Logger, { namespace, label, log: { message } }: LogEntry): void {
  log.debug({ namespace, label }, message)
}

/**
 * A connection to the cluster below producer, consumer and admin. kafkajs offers reading and committing only to members of a
 * consumer group, and a group would rebalance, hold a position of its own and take partitions from a real consumer of the
 * same name. A partition assigner is the documented way to be handed the cluster; the consumer it belongs to is never run.
 */
export function openCluster(kafka: Kafka): Cluster {
  let cluster: Cluster | undefined
  kafka.consumer({
    groupId: 'never-joined',
    allowAutoTopicCreation: false,
    partitionAssigners: [
      (config) => {
        cluster = config.cluster
        return {
          name: 'none',
          version: 0,
          assign: () => Promise.resolve([]),
          protocol: () => ({ name: 'none', metadata: Buffer.alloc(0) }),
        }
      },
    ],
  })
  if (cluster === undefined) throw new Error('kafkajs no longer hands the cluster to assigners') // seen by the contract suite
  return cluster
}
