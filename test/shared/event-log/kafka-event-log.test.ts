import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'
import { connect } from 'node:net'
import { test, type TestContext } from 'node:test'
import kafkajs from 'kafkajs'
import { SluiceError } from '../../../shared/errors/index.ts'
import { createKafkaEventLog, type EventLog, type KafkaEventLogOptions } from '../../../shared/event-log/index.ts'
import { createLogger } from '../../../shared/telemetry/index.ts'
import { systemClock as clock } from '../../../shared/time/index.ts'
import { eventLogContract, type OpenedLog } from '../../contracts/event-log/index.ts'
import { partitionOfKey } from '../../../shared/event-log/partition-of-key.ts'
import { atEnd, kafkaForTests, startTcpProxy, until } from '../../support/index.ts'

const log = createLogger({ function: 'test', level: 'silent' })

eventLogContract('kafka', openKafka)

interface OpenedKafka extends OpenedLog {
  readonly brokers: string[]
  openThroughProxy(options?: Partial<KafkaEventLogOptions>): ReturnType<OpenedLog['openThroughProxy']>
}

async function openKafka(t: TestContext): Promise<OpenedKafka | undefined> {
  const kafka = await kafkaForTests(t)
  if (kafka === undefined) return undefined
  const brokers = kafka.brokers.split(',')
  const open = async (options: Partial<KafkaEventLogOptions> = {}): Promise<EventLog> => {
    const eventLog = createKafkaEventLog({ brokers, clientId: 'test', ...options }, { clock, log })
    await eventLog.start(t.signal)
    atEnd(t, () => eventLog.stop())
    return eventLog
  }
  return {
    brokers,
    uniqueName: kafka.uniqueName,
    open: () => open(),
    // A broker tells clients its own address, so the way is bent where sockets are made.
    openThroughProxy: async (options = { writeTimeoutMs: 3_000 }) => {
      const proxy = await startTcpProxy(t, { port: Number(brokers[0]?.split(':')[1]) })
      const throughProxy: KafkaEventLogOptions['connect'] = ({ onConnect }) =>
        connect(proxy.port, '127.0.0.1', onConnect)
      return { log: await open({ ...options, connect: throughProxy }), proxy }
    },
  }
}

const record = (topic: string, value: string) => ({
  topic,
  key: Buffer.from('k'),
  value: Buffer.from(value),
  headers: [],
})

async function valuesOf(eventLog: EventLog, topic: string): Promise<readonly (string | undefined)[]> {
  const records = await eventLog.read({ topic, partition: 0, offset: 0, maxRecords: 100, maxWaitMs: 5_000 })
  return records.map(({ value }) => value?.toString())
}

test('a record whose acknowledgement was lost is stored once', { timeout: 60_000 }, async (t) => {
  const kafka = await openKafka(t)
  if (kafka === undefined) return
  const topic = kafka.uniqueName('lost-answer')
  const { log: eventLog, proxy } = await kafka.openThroughProxy()
  await eventLog.ensureTopics([{ name: topic, partitions: 1 }])
  await eventLog.append([record(topic, '1')])
  const observer = await kafka.open()
  proxy.swallowAnswers()
  const appending = eventLog.append([record(topic, '2')])
  await observer.read({ topic, partition: 0, offset: 1, maxRecords: 1, maxWaitMs: 10_000 }) // it is stored, and nobody was told
  proxy.cut()
  proxy.mend()
  assert.deepEqual(await appending, [{ partition: 0, offset: 1 }])
  await eventLog.append([record(topic, '3')])
  assert.deepEqual(await valuesOf(observer, topic), ['1', '2', '3'])
})

test(
  'a record appended after a write that was given up is not taken for a repeat of it',
  { timeout: 60_000 },
  async (t) => {
    const kafka = await openKafka(t)
    if (kafka === undefined) return
    const topic = kafka.uniqueName('given-up')
    const { log: eventLog, proxy } = await kafka.openThroughProxy({ writeTimeoutMs: 1_500 })
    await eventLog.ensureTopics([{ name: topic, partitions: 1 }])
    await eventLog.append([record(topic, '1')])
    proxy.swallowAnswers()
    await assert.rejects(
      eventLog.append([record(topic, '2')]),
      (error) => error instanceof SluiceError && error.code === 'event_log_unavailable',
    )
    proxy.cut()
    proxy.mend()
    await eventLog.append([record(topic, '3')])
    const values = await valuesOf(await kafka.open(), topic)
    assert.ok(values.includes('3'), `acknowledged and lost; the log holds ${values.join(', ')}`)
  },
)

test(
  'a connection that broke within an answer is understood when it is opened anew',
  { timeout: 120_000 },
  async (t) => {
    const kafka = await openKafka(t)
    if (kafka === undefined) return
    const topic = kafka.uniqueName('broken-answer')
    const { log: eventLog, proxy } = await kafka.openThroughProxy()
    await eventLog.ensureTopics([{ name: topic, partitions: 1 }])
    await eventLog.append([record(topic, '1')])
    assert.deepEqual(await valuesOf(eventLog, topic), ['1'])
    proxy.breakWithinAnswers(10)
    const empty = { topic, partition: 0, offset: 1, maxRecords: 1, maxWaitMs: 200 }
    // These break; whether a try within has helped already does not matter.
    await Promise.allSettled([eventLog.read(empty), eventLog.probe(t.signal)])
    assert.deepEqual(await valuesOf(eventLog, topic), ['1'])
    await eventLog.probe(t.signal)
  },
)

// As when Kafka comes back while the start is tried again and again: what waits to be appended has learnt the partitions over a
// connection that was opened before, and is written over one that knows no topic yet.
test('an append that outlives a start that failed guesses no partition', { timeout: 180_000 }, async (t) => {
  const kafka = await openKafka(t)
  if (kafka === undefined) return
  const topic = kafka.uniqueName('waits')
  const observer = await kafka.open()
  await observer.ensureTopics([{ name: topic, partitions: 4 }])
  const key = ['a', 'b', 'c', 'd', 'e'].find((candidate) => partitionOfKey(Buffer.from(candidate), 4) !== 0) ?? ''
  const waiting = { ...record(topic, 'waits'), key: Buffer.from(key) }

  const { port } = await startTcpProxy(t, { port: Number(kafka.brokers[0]?.split(':')[1]) })
  const closedPort = 1
  const asker = new AsyncLocalStorage<'start' | 'append'>()
  let [mended, starts] = [false, 0]
  const eventLog = createKafkaEventLog(
    {
      brokers: kafka.brokers,
      clientId: 'test',
      startTimeoutMs: 60_000,
      connect: ({ onConnect }) => {
        const isStart = asker.getStore() === 'start'
        // The start reaches nobody; the append does as soon as the start has begun anew.
        if (isStart && eventLog.health().status === 'down') starts += 1
        const isLetThrough = mended || (!isStart && starts > 0)
        return connect(isLetThrough ? port : closedPort, '127.0.0.1', onConnect)
      },
    },
    { clock, log },
  )
  atEnd(t, () => eventLog.stop())
  const starting = asker.run('start', () => eventLog.start(t.signal))
  const append = (): Promise<'stored' | 'refused' | undefined> =>
    eventLog.append([waiting]).then(
      () => 'stored',
      (error: Error) => (error.message.includes('not known yet') ? 'refused' : undefined),
    )
  await until('an append gets as far as its partition', () => asker.run('append', append), { limitMs: 120_000 })
  mended = true
  await starting
  await eventLog.append([waiting])
  for (let partition = 0; partition < 4; partition += 1) {
    const { next } = await observer.bounds(topic, partition)
    if (partition !== partitionOfKey(waiting.key, 4)) assert.equal(next, 0, `partition ${partition} has the key, too`)
  }
})

test('a commit never moves a group whose consumers are at work', { timeout: 60_000 }, async (t) => {
  const kafka = await openKafka(t)
  if (kafka === undefined) return
  const [topic, groupId] = [kafka.uniqueName('busy'), kafka.uniqueName('group')]
  const eventLog = await kafka.open()
  await eventLog.ensureTopics([{ name: topic, partitions: 1 }])
  const client = new kafkajs.Kafka({ brokers: kafka.brokers, logLevel: kafkajs.logLevel.NOTHING })
  const consumer = client.consumer({ groupId, maxWaitTimeInMs: 100 })
  atEnd(t, () => consumer.disconnect())
  const joined = Promise.withResolvers<void>()
  consumer.on(consumer.events.GROUP_JOIN, () => joined.resolve())
  await consumer.subscribe({ topic })
  await consumer.run({ eachMessage: () => Promise.resolve() })
  await joined.promise
  const committing = eventLog.commit(groupId, topic, { partition: 0, offset: 0 })
  await assert.rejects(committing, (error) => error instanceof SluiceError && error.code === 'conflict')
  await consumer.disconnect()
  await eventLog.commit(groupId, topic, { partition: 0, offset: 0 })
})

test('what transactions leave in a partition does not stop a reader', { timeout: 60_000 }, async (t) => {
  const kafka = await openKafka(t)
  if (kafka === undefined) return
  const topic = kafka.uniqueName('transactions')
  const eventLog = await kafka.open()
  await eventLog.ensureTopics([{ name: topic, partitions: 1 }])
  const client = new kafkajs.Kafka({ brokers: kafka.brokers, logLevel: kafkajs.logLevel.NOTHING })
  const producer = client.producer({
    transactionalId: topic,
    maxInFlightRequests: 1,
    idempotent: true,
    retry: { initialRetryTime: 20 },
  })
  await producer.connect()
  atEnd(t, () => producer.disconnect())
  for (const value of ['1', '2', '3']) {
    const transaction = await producer.transaction()
    await transaction.send({ topic, messages: [{ value, partition: 0 }] })
    await transaction.commit()
  }
  const seen: (string | undefined)[] = []
  for (let offset = 0; seen.length < 3;) {
    const records = await eventLog.read({ topic, partition: 0, offset, maxRecords: 1, maxWaitMs: 5_000 })
    seen.push(...records.map(({ value }) => value?.toString()))
    offset = (records.at(-1)?.offset ?? offset - 1) + 1
  }
  assert.deepEqual(seen, ['1', '2', '3'])
  const { next } = await eventLog.bounds(topic, 0)
  assert.equal(next, 6, 'each commit left a control record')
  assert.deepEqual(await eventLog.read({ topic, partition: 0, offset: 5, maxRecords: 1, maxWaitMs: 300 }), [])
})
