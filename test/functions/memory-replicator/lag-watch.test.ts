import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLagWatch } from '../../../functions/memory-replicator/lag-watch.ts'
import { SluiceError } from '../../../shared/errors/index.ts'
import { createInstruments, createLogger } from '../../../shared/telemetry/index.ts'
import { createManualClock, until } from '../../support/index.ts'
import { metric, startMemoryService, startReplicator } from '../support/memory.ts'

test(
  'W-41: memory_wal_lag_seconds is 0 while nothing is unapplied and grows while a write is',
  { timeout: 60_000 },
  async (t) => {
    const memory = await startMemoryService(t)
    const { replicator, startSource } = await startReplicator(t, memory)
    const lag = (): Promise<number> => metric(replicator, 'memory_wal_lag_seconds')
    const stop = await startSource()
    await memory.remember({ key: 'k', content: 'applied' })
    await memory.recall({ after: '1@k', wait_ms: 10_000 })
    await until('the lag is 0', async () => (await lag()) === 0)

    await stop() // nothing reaches the replicator any more
    await memory.remember({ key: 'k', content: 'stalled' })
    const written = performance.now()
    for (const seconds of [1, 2, 3]) {
      await until(`the lag is over ${seconds} s`, async () => (await lag()) > seconds)
      const since = (performance.now() - written) / 1_000
      assert.ok(Math.abs((await lag()) - since) < 2, `it says ${await lag()} s after ${since} s`)
    }

    await startSource()
    await until('it has caught up', async () => (await lag()) === 0)
  },
)

test('a lag that was there grows with the clock while the database cannot be asked; none does not', async (t) => {
  const clock = createManualClock()
  const instruments = createInstruments({ function: 'test' })
  const log = createLogger({ function: 'test', level: 'silent' })
  let lag: number | undefined = 4
  const database = {
    query: async () => {
      if (lag === undefined) throw new SluiceError('database_unavailable', 'away')
      return { rows: [{ lag, stopped: 0 }] as never[], rowCount: 1 }
    },
  }
  const watch = createLagWatch({ everyMs: 1_000 }, { clock, log, instruments, database })
  const shown = async (): Promise<number | undefined> => (await instruments.memoryWalLag.get()).values[0]?.value
  await watch.start(new AbortController().signal)
  t.after(() => watch.stop())
  assert.equal(await shown(), 4)
  lag = undefined
  await clock.advance(3_000)
  assert.equal(await shown(), 7)
  lag = 0
  await clock.advance(1_000)
  assert.equal(await shown(), 0)
  lag = undefined
  await clock.advance(5_000)
  assert.equal(await shown(), 0)
})
