// `sluice topics` on a real broker, and on the log in Postgres.

import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import kafkajs from 'kafkajs'
import { allTopics } from '../../shared/events/index.ts'
import { atEnd, createTestDatabase, projectRoot, startChild } from '../support/index.ts'
import { startBrokerFromJars } from '../support/services/kafka/broker-from-jars.ts'

async function sluice(t: TestContext, args: readonly string[], env: Readonly<Record<string, string>>) {
  const child = startChild(t, ['cli/main.ts', ...args], { cwd: projectRoot, env })
  const { code } = await child.exited({ limitMs: 60_000 })
  return { code, lines: child.lines }
}

test(
  'topics are made with their partitions and retention, and a wrong one is named',
  { timeout: 180_000 },
  async (t) => {
    const broker = await startBrokerFromJars()
    if ('missing' in broker) {
      assert.notEqual(process.env['CI'], 'true', broker.missing)
      return t.skip(broker.missing)
    }
    atEnd(t, () => broker.stop())
    const admin = new kafkajs.Kafka({ brokers: [broker.brokers], logLevel: kafkajs.logLevel.NOTHING }).admin()
    await admin.connect()
    atEnd(t, () => admin.disconnect())
    await admin.createTopics({ topics: [{ topic: 'tool.results', numPartitions: 3 }], waitForLeaders: true })

    const env = { KAFKA_BROKERS: broker.brokers }
    const checked = await sluice(t, ['topics', '--check'], env)
    assert.equal(checked.code, 1)
    assert.equal(checked.lines.filter((line) => line.endsWith('missing')).length, allTopics.length - 1)
    const made = await sluice(t, ['topics'], env)
    assert.equal(made.code, 1)
    assert.match(made.lines.join('\n'), /^conversation\.inbound +8 {2}created$/m)
    assert.match(made.lines.join('\n'), /^tool\.results +8 {2}has 3 partitions/m)
    assert.equal(made.lines.at(-1), `1 of ${allTopics.length} topics are not as declared`)

    const { topics } = await admin.fetchTopicMetadata({ topics: allTopics.map(({ name }) => name) })
    assert.equal(topics.find(({ name }) => name === 'conversation.inbound.dlq')?.partitions.length, 8)
    const described = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: 'conversation.inbound.dlq' }],
    })
    const entries = described.resources[0]?.configEntries ?? []
    const declared = allTopics.find(({ name }) => name === 'conversation.inbound.dlq')
    assert.equal(
      entries.find(({ configName }) => configName === 'retention.ms')?.configValue,
      String(declared?.retentionMs),
    )
  },
)

test('without Kafka the topics are those of the log in Postgres', { timeout: 60_000 }, async (t) => {
  const { url } = await createTestDatabase(t)
  const first = await sluice(t, ['topics'], { DATABASE_URL: url })
  assert.deepEqual([first.code, first.lines.at(-1)], [0, `${allTopics.length} topics`])
  const second = await sluice(t, ['topics', '--check'], { DATABASE_URL: url })
  assert.equal(second.code, 0)
  assert.ok(second.lines.slice(0, -1).every((line) => line.endsWith('as declared')))
})
