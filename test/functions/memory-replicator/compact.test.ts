import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compact } from '../../../functions/memory-replicator/compact.ts'
import { createMemoryReplicator } from '../../../functions/memory-replicator/compose.ts'
import type { memoryReplicator } from '../../../functions/memory-replicator/function.ts'
import type { Resources } from '../../../shared/function/index.ts'
import { createInstruments, createLogger } from '../../../shared/telemetry/index.ts'
import { systemClock } from '../../../shared/time/index.ts'
import { startMemoryService, startReplicator } from '../support/memory.ts'
import { chainOf, deliver } from '../support/memory-writes.ts'

const log = createLogger({ function: 'test', level: 'silent' })

test('compaction', { timeout: 60_000 }, async (t) => {
  const { database, ...memory } = await startMemoryService(t)
  const { replicator } = await startReplicator(t, { database, ...memory })
  const chains = ['a', 'b', 'c'].map((key) => chainOf(key, ['one', 'two', 'three', 'four']))
  for (const write of chains.flat()) assert.equal(await deliver(replicator, write), 200)
  const instruments = createInstruments({ function: 'test' })
  const never = new AbortController().signal
  const sequences = async (): Promise<readonly number[]> =>
    (
      await database.query<{ sequence: number }>('SELECT sequence FROM agent.memory_replica ORDER BY key, sequence')
    ).rows.map(({ sequence }) => sequence)

  await t.test('removes superseded rows in batches, reports how many, and never the newest', async () => {
    assert.equal(await compact({ database, log, instruments }, { batch: 2 }, never), 9)
    assert.equal((await instruments.memoryRowsFolded.get()).values[0]?.value, 9)
    assert.deepEqual(await sequences(), [4, 4, 4])
    assert.equal(await compact({ database, log, instruments }, {}, never), 0)
    assert.deepEqual(await sequences(), [4, 4, 4])
  })

  await t.test('leaves the chain whole: repeats are known, the next write follows, another one does not', async () => {
    const [again, next] = chainOf('a', ['one', 'two', 'three', 'four', 'five']).toSpliced(1, 3)
    assert.ok(again !== undefined && next !== undefined)
    assert.equal(await deliver(replicator, again), 200)
    assert.equal(await deliver(replicator, next), 200)
    assert.equal(await deliver(replicator, { ...next, sequence: 6 }), 202)
    assert.deepEqual(await sequences(), [4, 5, 4, 4])
  })

  await t.test('stops between two batches when it is asked to', async () => {
    const stopping = new AbortController()
    stopping.abort()
    assert.equal(await compact({ database, log, instruments }, { batch: 1 }, stopping.signal), 0)
  })

  await t.test('runs only where MEMORY_COMPACTION_ENABLED says so', () => {
    const loops = (env: Readonly<Record<string, string>>): number => {
      const config = memory.configWith(env)
      return createMemoryReplicator({ config, instruments, clock: systemClock } as Resources<typeof memoryReplicator>)
        .loops.length
    }
    assert.deepEqual([loops({}), loops({ MEMORY_COMPACTION_ENABLED: 'true' })], [0, 1])
  })
})
