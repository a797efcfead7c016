import assert from 'node:assert/strict'
import { test } from 'node:test'
import { planTopics } from '../../../cli/knative/plan-topics.ts'
import { allTopics, topics } from '../../../shared/events/index.ts'

test('every topic and every dead-letter topic is planned, numbers beyond a million as text', () => {
  const planned = planTopics()
  assert.deepEqual(
    Object.keys(planned),
    allTopics.map(({ name }) => name),
  )
  assert.deepEqual(planned['tool.requests'], {
    resource: 'tool-requests',
    partitions: 8,
    retentionMs: '604800000',
    cleanupPolicy: 'delete',
  })
  assert.equal(planTopics([{ ...topics.memoryWal, compacted: true }])['memory.wal']?.cleanupPolicy, 'compact')
})
