// Two lane drivers, each a process of its own as instances of outbox-sync are.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createDelivery } from '../../../../shared/delivery/index.ts'
import { startChild, startLoopbackServer, until } from '../../../support/index.ts'
import { contractOf, createWorkbench, incoming } from '../workbench.ts'
import { runOverHttp } from './run-over-http.ts'

const script = new URL('../crash/function-process.ts', import.meta.url).pathname

test(
  'two driver processes share the work: more runs at once than one may have, each event once',
  { timeout: 60_000 },
  async (t) => {
    const bench = await createWorkbench(t)
    const gate = Promise.withResolvers<void>()
    const ran: string[] = []
    const delivery = createDelivery(
      contractOf('steps', { name: 'killed' }),
      async ({ id }) => {
        ran.push(id)
        await gate.promise
      },
      bench,
    )
    const server = await startLoopbackServer(t, runOverHttp(delivery))
    for (let key = 0; key < 200; key += 1)
      for (const n of [1, 2]) await delivery.accept(incoming({ id: `${key}/${n}`, key: `k${key}` }))
    const drivers = [1, 2].map(() =>
      startChild(t, [script], { env: { TEST_URL: bench.url, TEST_FUNCTION_URL: server.url } }),
    )
    await Promise.all(drivers.map((driver) => driver.line(/driving/)))

    // One driver has at most 128 runs of a function under way.
    await until('both have work', () => ran.length === 200, { limitMs: 20_000 })
    assert.ok(
      ran.every((id) => id.endsWith('/1')),
      'one event of a key at a time',
    )
    gate.resolve()
    const left = async () => (await bench.rows('SELECT FROM sluice.lane')).length
    await until('all lanes are empty', async () => (await left()) === 0, { limitMs: 30_000 })
    assert.equal(ran.length, 400)
    assert.equal(new Set(ran).size, 400)
  },
)
