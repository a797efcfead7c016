import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hashMapOrder, stringHash, topicPartitionHash } from '../../../../local/kafka-source/java/java-hash-map.ts'

test('the hash of a text is that of java.lang.String', () => {
  assert.deepEqual(['', 'a', 'AaAa', 'BBBB'].map(stringHash), [0, 97, 2_031_744, 2_031_744])
})

test('keys come by bucket, and within a bucket as they were put in', () => {
  const order = hashMapOrder(['BBBB', 'b', 'AaAa', 'a'], { hash: stringHash })
  assert.deepEqual(
    order.filter((name) => name.length === 4),
    ['BBBB', 'AaAa'],
  )
  assert.ok(order.indexOf('a') < order.indexOf('b'))
})

test('partitions of a poll come in the order of the captured dispatcher', () => {
  const order = (topic: string, partitions: readonly number[], capacity: number): readonly number[] =>
    hashMapOrder(partitions, { hash: (partition) => topicPartitionHash(topic, partition), capacity })
  assert.deepEqual(order('delivery-trace-ordered', [0, 1, 2], 12), [2, 1, 0])
  assert.deepEqual(order('delivery-ordered-blocks-partition', [0, 1], 8), [0, 1])
})
