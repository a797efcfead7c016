import { test } from 'node:test'
import assert from 'node:assert/strict'
import { allTopics, deadLetterTopicOf, eventTypes, topicOf, topicOfType, topics } from '../../../shared/events/index.ts'

test('every event type is on exactly one topic', () => {
  const carried = Object.values(topics).flatMap((topic) => topic.types.map(({ type }) => type))
  assert.deepEqual(carried.toSorted(), eventTypes.map(({ type }) => type).toSorted())
  for (const { type } of eventTypes)
    assert.ok(topicOfType(type)?.types.some((carriedType) => carriedType.type === type) === true)
})

test('a topic and its dead-letter topic are found by name, anything else is not', () => {
  assert.equal(topicOf('tool.requests'), topics.toolRequests)
  assert.equal(topicOf('tool.requests.dlq')?.key, topics.toolRequests.key)
  assert.equal(topicOf('tool.request'), undefined)
  assert.equal(topicOfType('toString'), undefined)
})

test('dead letters keep key and partitions of their topic, so their order is kept too', () => {
  const { name, partitions } = deadLetterTopicOf(topics.conversationInbound)
  assert.deepEqual([name, partitions], ['conversation.inbound.dlq', topics.conversationInbound.partitions])
})

test('topics and their dead-letter topics are all listed once, with names that Kafka takes', () => {
  assert.equal(allTopics.length, 2 * Object.keys(topics).length)
  assert.equal(new Set(allTopics.map(({ name }) => name)).size, allTopics.length)
  for (const { name } of allTopics) assert.match(name, /^[a-z0-9._-]{1,249}$/)
})

test('dead letters are kept longer than what they were', () => {
  for (const topic of Object.values(topics)) assert.ok(deadLetterTopicOf(topic).retentionMs > topic.retentionMs)
})

test('every topic takes the 64 KiB that the specification promises and fits what Kafka takes by default', () => {
  for (const { maxEventBytes } of allTopics) assert.ok(maxEventBytes >= 65_536 && maxEventBytes < 1_048_588)
})
