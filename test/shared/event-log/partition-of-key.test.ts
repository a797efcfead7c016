import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import kafkajs from 'kafkajs'
import { partitionOfKey } from '../../../shared/event-log/index.ts'

test('a key has the partition that Kafka’s own clients give it', () => {
  const partitioner = kafkajs.Partitioners.DefaultPartitioner()
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 1, maxLength: 40 }),
      fc.integer({ min: 1, max: 50 }),
      (bytes, partitions) => {
        const key = Buffer.from(bytes)
        const partitionMetadata = Array.from({ length: partitions }, (_, partitionId) => ({
          partitionId,
          leader: 1,
          partitionErrorCode: 0,
          replicas: [],
          isr: [],
        }))
        assert.equal(
          partitionOfKey(key, partitions),
          partitioner({ topic: 't', partitionMetadata, message: { key, value: null } }),
        )
      },
    ),
  )
})

test('an empty key has a partition', () => {
  assert.ok(partitionOfKey(Buffer.alloc(0), 3) < 3)
})
