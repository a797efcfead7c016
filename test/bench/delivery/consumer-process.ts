// What one would write without Sluice: a kafkajs consumer with `eachMessage` at its defaults and one INSERT a record. Between
// slices it stays in its group and waits inside a message, with heartbeats.

import { setTimeout as sleep } from 'node:timers/promises'
import kafkajs from 'kafkajs'
import pg from 'pg'
import { effectSql } from './ledgers.ts'

export interface ConsumerSettings {
  readonly brokers: string
  readonly topic: string
  readonly groupId: string
  readonly databaseUrl: string
}

export interface ConsumerResult {
  readonly requests: number
  readonly perSecond: number
}

const gate = { isOpen: false, opened: Promise.withResolvers<void>() }
let inserted = 0

async function start({ brokers, topic, groupId, databaseUrl }: ConsumerSettings): Promise<void> {
  const pool = new pg.Pool({ connectionString: databaseUrl })
  const kafka = new kafkajs.Kafka({ brokers: brokers.split(','), logLevel: kafkajs.logLevel.NOTHING })
  const consumer = kafka.consumer({ groupId })
  await consumer.connect()
  await consumer.subscribe({ topics: [topic], fromBeginning: true })
  const first = Promise.withResolvers<void>()
  await consumer.run({
    eachMessage: async ({ message: { key, value }, heartbeat }) => {
      first.resolve()
      while (!gate.isOpen) {
        await Promise.race([gate.opened.promise, sleep(1_000)])
        await heartbeat()
      }
      const { message } = JSON.parse(value?.toString() ?? '') as { readonly message: string }
      await pool.query(effectSql, [key?.toString(), message])
      inserted += 1
    },
  })
  await first.promise // the group has settled
  process.on('message', (slice: { readonly ms: number }) => void runSlice(slice))
  process.send?.('consuming')
}

async function runSlice({ ms }: { readonly ms: number }): Promise<void> {
  const [before, begun] = [inserted, performance.now()]
  gate.isOpen = true
  gate.opened.resolve()
  await sleep(ms)
  gate.isOpen = false
  gate.opened = Promise.withResolvers()
  const requests = inserted - before
  const result: ConsumerResult = { requests, perSecond: (requests * 1_000) / (performance.now() - begun) }
  process.send?.(result)
}

process.once('message', (settings: ConsumerSettings) => void start(settings))
process.send?.('ready')
