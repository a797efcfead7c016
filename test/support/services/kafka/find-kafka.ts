// A Kafka broker for tests: given by address, from a container engine, or from Maven Central's jars on the machine's Java.

import { findFirst, type Found, type Source } from '../found.ts'
import { command, containerEngine, firstAnswer, freePort } from '../machine.ts'
import { startServerProcess } from '../server-process.ts'
import { startBrokerFromJars, type Broker } from './broker-from-jars.ts'
import { apiVersionsRequest, brokerSettings } from './broker-settings.ts'

export type KafkaServer = Pick<Broker, 'brokers' | 'stop'>

const image = 'docker.io/apache/kafka:4.1.1'

export const findKafka = (): Promise<Found<KafkaServer>> => findFirst('Kafka', [given, container, jars])

const given: Source<KafkaServer> = {
  name: 'TEST_KAFKA_BROKERS',
  find: () => {
    const brokers = process.env['TEST_KAFKA_BROKERS'] ?? ''
    return Promise.resolve(brokers === '' ? { missing: 'not set' } : { brokers, stop: () => Promise.resolve() })
  },
}

const container: Source<KafkaServer> = {
  name: 'container engine',
  find: async () => {
    const engine = await containerEngine()
    if (engine === undefined) return { missing: 'neither docker nor podman answers' }
    await command(engine, ['pull', '--quiet', image], { limitMs: 300_000 })
    const port = await freePort()
    const settings = brokerSettings({
      listen: '0.0.0.0:9092',
      advertise: `127.0.0.1:${port}`,
      controller: '127.0.0.1:9093',
      logDirs: '/tmp/kafka-logs',
    })
    // The image turns KAFKA_NODE_ID into node.id, and so on.
    const env = Object.entries(settings).flatMap(([name, value]) => [
      '--env',
      `KAFKA_${name.replaceAll('.', '_').toUpperCase()}=${value}`,
    ])
    const child = await startServerProcess({
      file: engine,
      args: ['run', '--rm', '--publish', `127.0.0.1:${port}:9092`, ...env, image],
      ready: async () => ((await firstAnswer(port, apiVersionsRequest))?.length ?? 0) > 10,
      limitMs: 90_000,
    })
    return { brokers: `127.0.0.1:${port}`, stop: async () => void (await child.stop({ limitMs: 20_000 })) }
  },
}

const jars: Source<KafkaServer> = { name: "the machine's Java", find: startBrokerFromJars }
