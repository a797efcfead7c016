import assert from 'node:assert/strict'
import { test } from 'node:test'
import { conversationWorker } from '../../../functions/conversation-worker/function.ts'
import { gateway } from '../../../functions/gateway/function.ts'
import { outboxSync } from '../../../functions/outbox-sync/function.ts'
import { toolExecutor } from '../../../functions/tool-executor/function.ts'
import { kafkaSourcesOf, pingSourcesOf } from '../../../local/platform/index.ts'

const url = 'http://127.0.0.1:20001/'

test('a function has one KafkaSource for each topic, named like its consumer group, that tells the topic', () => {
  const sources = kafkaSourcesOf(conversationWorker, url)
  assert.deepEqual(
    sources.map(({ metadata, spec }) => [metadata.name, spec.consumerGroup, spec.topics]),
    [
      [
        'conversation-worker-conversation-inbound',
        'conversation-worker-conversation-inbound',
        ['conversation.inbound'],
      ],
      ['conversation-worker-tool-results', 'conversation-worker-tool-results', ['tool.results']],
    ],
  )
  assert.deepEqual(sources[0]?.spec.ceOverrides, { extensions: { sluicetopic: 'conversation.inbound' } })
  assert.equal(sources[0]?.spec.sink.uri, url)
})

test('the order follows from the contract: by key is ordered, none is unordered', () => {
  assert.equal(kafkaSourcesOf(conversationWorker, url)[0]?.spec.ordering, 'ordered')
  assert.equal(kafkaSourcesOf(toolExecutor, url)[0]?.spec.ordering, 'unordered')
})

test('a record is tried for an hour at least before it is given up', () => {
  const { retry = 0 } = kafkaSourcesOf(toolExecutor, url)[0]?.spec.delivery ?? {}
  const seconds = (0.5 * retry * (retry + 1)) / 2
  assert.ok(seconds >= 3_600, `${seconds} s`)
})

test('the net of a source is what its contract says', () => {
  const source = { outageMs: 60_000, backoffMs: 1_000, timeoutMs: 5_000 }
  assert.deepEqual(kafkaSourcesOf({ ...toolExecutor, source }, url)[0]?.spec.delivery, {
    retry: 11,
    backoffPolicy: 'linear',
    backoffDelay: 'PT1S',
    timeout: 'PT5S',
  })
})

test('a schedule becomes a PingSource; an HTTP function has no source', () => {
  assert.deepEqual(
    pingSourcesOf(outboxSync, url).map(({ spec }) => spec.schedule),
    ['* * * * *'],
  )
  assert.deepEqual(kafkaSourcesOf(outboxSync, url), [])
  assert.deepEqual([...kafkaSourcesOf(gateway, url), ...pingSourcesOf(gateway, url)], [])
})
