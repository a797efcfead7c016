import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test, type TestContext } from 'node:test'
import { SluiceError } from '../../../shared/errors/index.ts'
import { createKafkaEventLog, type EventLog, type KafkaEventLogOptions } from '../../../shared/event-log/index.ts'
import { createLogger } from '../../../shared/telemetry/index.ts'
import { systemClock as clock } from '../../../shared/time/index.ts'
import { eventLogContract, type OpenedLog } from '../../contracts/event-log.ts'
import { atEnd, kafkaForTests, startTcpProxy } from '../../support/index.ts'

const log = createLogger({ function: 'test', level: 'silent' })

eventLogContract('kafka', openKafka)

interface OpenedKafka extends OpenedLog {
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
