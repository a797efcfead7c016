// What holds while the storage is away, and after a stop.

import assert from 'node:assert/strict'
import { until } from '../../support/index.ts'
import { SluiceError } from '../../../shared/errors/index.ts'
import { code, record, type Contract } from './fixture.ts'

export function outageContract(contract: Contract): void {
  contract(
    'while the storage is out of reach calls fail with a code, and later calls succeed on the same instance',
    async (fixture) => {
      const name = await fixture.topic(1)
      const { log, proxy } = await fixture.openThroughProxy()
      const read = { topic: name, partition: 0, offset: 0, maxRecords: 10, maxWaitMs: 100 }
      await log.append([record(name, { key: null, value: 'before' })])
      await log.read(read)
      proxy.cut()
      const unavailable = code('event_log_unavailable')
      await Promise.all([
        assert.rejects(log.append([record(name, { key: null, value: 'lost' })]), unavailable),
        assert.rejects(log.read(read), unavailable),
        assert.rejects(log.commit('group', name, { partition: 0, offset: 1 }), unavailable),
        assert.rejects(log.bounds(name, 0), unavailable),
      ])
      await until('health says so', () => log.health().status === 'down')
      await log.partitions(name)
      assert.equal(log.health().status, 'down', 'an answer from memory proves nothing')
      proxy.mend()
      await until('an append succeeds', () => log.append([record(name, { key: null, value: 'after' })]), {
        limitMs: 20_000,
      })
      const records = await until('a read succeeds', () => log.read(read), { limitMs: 20_000 })
      assert.deepEqual(
        records.map(({ value }) => value?.toString()),
        ['before', 'after'],
      )
      await until('a commit succeeds', () => log.commit('group', name, { partition: 0, offset: 1 }).then(() => true), {
        limitMs: 20_000,
      })
      await until('health says so', () => log.health().status === 'up')
    },
  )

  contract('a reader that waits goes on after a lost connection', async (fixture) => {
    const name = await fixture.topic(1)
    const { log, proxy } = await fixture.openThroughProxy()
    await log.partitions(name)
    const waiting = until(
      'the record comes',
      async () => {
        const records = await log.read({ topic: name, partition: 0, offset: 0, maxRecords: 1, maxWaitMs: 2_000 })
        return records[0]
      },
      { limitMs: 20_000 },
    )
    proxy.cut()
    proxy.mend()
    await fixture.log.append([record(name, { key: null, value: 'here' })])
    assert.equal((await waiting).value?.toString(), 'here')
  })

  contract('a stopped log refuses work, ends reads that wait, and may be stopped again', async ({ open, topic }) => {
    const name = await topic(1)
    const log = await open()
    const waiting = log.read({ topic: name, partition: 0, offset: 0, maxRecords: 1, maxWaitMs: 60_000 })
    const ended = assert.rejects(waiting, SluiceError)
    await log.partitions(name)
    await log.stop()
    await ended
    await assert.rejects(log.append([record(name, { key: null, value: 'x' })]), code('event_log_unavailable'))
    await log.stop()
  })
}
