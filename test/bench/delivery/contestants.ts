// The processes that are compared: each on the first core, up for the whole run, and at work only in its slices.

import { once } from 'node:events'
import kafkajs from 'kafkajs'
import { firstMessage, startPinned } from '../receiver/pinned-process.ts'
import type { Load } from '../receiver/load-process.ts'
import { sampleData } from '../receiver/sample-event.ts'
import type { ConsumerResult, ConsumerSettings } from './consumer-process.ts'
import type { FunctionSettings } from './function-process.ts'

export interface Measured {
  readonly requests: number
  readonly perSecond: number
  readonly errors: number
}

export interface Contestant extends AsyncDisposable {
  run(ms: number): Promise<Measured>
}

export interface FunctionOptions extends FunctionSettings {
  readonly inFlight: number
}

export async function startFunction({ inFlight, ...settings }: FunctionOptions, load: Load): Promise<Contestant> {
  const { child, stop } = startPinned('../delivery/function-process.ts', 0)
  await firstMessage(child)
  child.send(settings)
  const { port } = await firstMessage<{ readonly port: number }>(child)
  return {
    run: (ms) => load.run({ port, connections: inFlight, ms, distinct: true }),
    [Symbol.asyncDispose]: stop,
  }
}

/** `records`: how many its topic has. */
export async function startConsumer(settings: ConsumerSettings, records: number): Promise<Contestant> {
  const { child, stop } = startPinned('../delivery/consumer-process.ts', 0)
  await firstMessage(child)
  child.send(settings)
  await firstMessage(child)
  let consumed = 0
  return {
    run: async (ms) => {
      child.send({ ms })
      const [result] = (await once(child, 'message')) as [ConsumerResult]
      consumed += result.requests
      if (consumed >= records) throw new Error(`the ${records} records of the topic are used up; shorten the run`)
      return { ...result, errors: 0 }
    },
    [Symbol.asyncDispose]: stop,
  }
}

const partitions = 4
const recordsABatch = 1_000

/** A topic of its own with `count` records of the sample event. It is deleted at the end. */
export async function fillTopic(brokers: string, count: number): Promise<{ readonly topic: string } & AsyncDisposable> {
  const topic = `bench-${process.pid}-${Date.now()}`
  const kafka = new kafkajs.Kafka({ brokers: brokers.split(','), logLevel: kafkajs.logLevel.ERROR })
  const admin = kafka.admin()
  const producer = kafka.producer()
  await Promise.all([admin.connect(), producer.connect()])
  await admin.createTopics({ topics: [{ topic, numPartitions: partitions }], waitForLeaders: true })
  const value = JSON.stringify(sampleData)
  for (let at = 0; at < count; at += recordsABatch) {
    const messages = Array.from({ length: Math.min(recordsABatch, count - at) }, (_, index) => ({
      key: `record-${at + index}`,
      value,
    }))
    await producer.send({ topic, messages })
  }
  await producer.disconnect()
  return {
    topic,
    [Symbol.asyncDispose]: async () => {
      await admin.deleteTopics({ topics: [topic] })
      await admin.disconnect()
    },
  }
}
