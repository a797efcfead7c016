// What is known of topics, and how far a group has come.

import assert from 'node:assert/strict'
import { code, readAll, record, type Contract } from './fixture.ts'

export function offsetContract(contract: Contract): void {
  contract('bounds tell the earliest offset and the next one', async ({ log, topic }) => {
    const name = await topic(1)
    assert.deepEqual(await log.bounds(name, 0), { earliest: 0, next: 0 })
    await log.append([record(name, { key: null, value: 'x' }), record(name, { key: null, value: 'y' })])
    assert.deepEqual(await log.bounds(name, 0), { earliest: 0, next: 2 })
  })

  contract('committed offsets survive a reopening and are a group’s own', async ({ log, open, topic, uniqueName }) => {
    const name = await topic(2)
    const [first, second] = [uniqueName('group-a'), uniqueName('group-b')]
    await log.append(Array.from({ length: 10 }, () => record(name, { key: null, value: 'x' })))
    assert.deepEqual(await log.committed(first, name), new Map())
    await log.commit(first, name, { partition: 0, offset: 3 })
    await log.commit(second, name, { partition: 0, offset: 1 })
    await log.commit(second, name, { partition: 1, offset: 2 })
    await log.commit(first, name, { partition: 0, offset: 4 })
    const reopened = await open()
    assert.deepEqual(await reopened.committed(first, name), new Map([[0, 4]]))
    assert.deepEqual(
      await reopened.committed(second, name),
      new Map([
        [0, 1],
        [1, 2],
      ]),
    )
  })

  contract('an unknown topic or partition is an error with a code', async ({ log, topic, uniqueName }) => {
    const name = uniqueName('nowhere')
    const read = { partition: 0, offset: 0, maxRecords: 1, maxWaitMs: 0 }
    await assert.rejects(log.append([record(name, { key: null, value: 'x' })]), code('unknown_topic'))
    await assert.rejects(log.read({ topic: name, ...read }), code('unknown_topic'))
    await assert.rejects(log.partitions(name), code('unknown_topic'))
    await assert.rejects(log.commit('group', name, { partition: 0, offset: 0 }), code('unknown_topic'))
    const known = await topic(1)
    await assert.rejects(log.read({ topic: known, ...read, partition: 1 }), code('unknown_topic'))
    await assert.rejects(log.bounds(known, 1), code('unknown_topic'))
  })

  contract(
    'ensuring topics that exist changes nothing, also from several instances at once',
    async ({ log, open, uniqueName }) => {
      const names = ['x', 'y', 'z'].map(uniqueName)
      const other = await open()
      const declared = names.map((name) => ({ name, partitions: 2 }))
      await Promise.all([log.ensureTopics(declared), other.ensureTopics(declared.toReversed())])
      await log.append([record(names[0] ?? '', { key: Buffer.from('k'), value: 'x' })])
      await other.ensureTopics(names.map((name) => ({ name, partitions: 5 })))
      for (const name of names) assert.equal(await other.partitions(name), 2)
      assert.equal((await readAll(other, names[0] ?? '')).length, 1)
    },
  )
}
