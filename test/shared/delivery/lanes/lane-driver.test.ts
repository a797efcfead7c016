// The driver against functions that listen on real HTTP.

import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  createDelivery,
  createLaneDriver,
  laneTokenHeader,
  type LaneDriverOptions,
} from '../../../../shared/delivery/index.ts'
import type { Component } from '../../../../shared/lifecycle/index.ts'
import { parseTraceparent, withTrace } from '../../../../shared/telemetry/index.ts'
import { atEnd, startLoopbackServer, until } from '../../../support/index.ts'
import { contractOf, createWorkbench, incoming, type Workbench } from '../workbench.ts'
import { runOverHttp } from './run-over-http.ts'

async function startDriver(
  t: TestContext,
  bench: Workbench,
  options: Omit<LaneDriverOptions, 'functionUrl'> & {
    readonly urls: Readonly<Record<string, string>>
    readonly tickless?: boolean
  },
): Promise<Component> {
  const { urls, tickless = false, ...limits } = options
  const clock = tickless ? { ...bench.clock, after: () => ({ cancel: () => undefined }) } : bench.clock
  const driver = createLaneDriver(
    { functionUrl: (name) => urls[name] ?? 'http://127.0.0.1:9', ...limits },
    { ...bench, clock },
  )
  atEnd(t, () => driver.stop())
  await driver.start(AbortSignal.timeout(5_000))
  return driver
}

const done = (bench: Workbench, id: string) =>
  until(
    `${id} is done`,
    async () => (await bench.rows(`SELECT FROM sluice.inbox WHERE state = 'done' AND id = $1`, [id])).length === 1,
  )

test('an accepted event is run by its function within the notification, with token and trace; the lane is gone', async (t) => {
  const bench = await createWorkbench(t)
  const delivery = createDelivery(contractOf('steps'), async () => undefined, bench)
  const server = await startLoopbackServer(t, runOverHttp(delivery))
  await startDriver(t, bench, { urls: { tested: server.url }, tickless: true })

  const trace = parseTraceparent('00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01')
  assert.ok(trace)
  await withTrace(trace, () => delivery.accept(incoming({ id: 'e1' })))
  await done(bench, 'e1')
  const [request] = server.requests
  assert.equal(server.requests.length, 1)
  assert.match(String(request?.headers[laneTokenHeader]), /^[0-9a-f-]{36}\.1$/)
  assert.match(String(request?.headers['traceparent']), /^00-0af7651916cd43dd8448eb211c80319c-/)
  assert.deepEqual(await bench.rows('SELECT * FROM sluice.lane'), [])
})

test('a failed event holds back the later ones of its key while other keys flow', async (t) => {
  const bench = await createWorkbench(t)
  const ran: string[] = []
  const delivery = createDelivery(
    contractOf('steps', { delivery: { attempts: 5, backoff: { firstMs: 400, maxMs: 400 }, timeoutMs: 5_000 } }),
    async ({ id }, { attempt }) => {
      ran.push(id)
      if (id === 'a1' && attempt === 1) throw new Error('not yet')
    },
    { ...bench, random: () => 0.99 },
  )
  const server = await startLoopbackServer(t, runOverHttp(delivery))
  await startDriver(t, bench, { urls: { tested: server.url } })
  for (const [id, key] of [
    ['a1', 'a'],
    ['a2', 'a'],
    ['b1', 'b'],
    ['b2', 'b'],
  ] as const)
    await delivery.accept(incoming({ id, key }))

  await done(bench, 'b2')
  assert.deepEqual(
    ran.filter((id) => id.startsWith('a')),
    ['a1'],
    'a2 waits behind a1',
  )
  const before = performance.now()
  await done(bench, 'a2')
  assert.deepEqual(
    ran.filter((id) => id.startsWith('a')),
    ['a1', 'a1', 'a2'],
  )
  assert.ok(performance.now() - before < 900, 'the loop wakes for the due time, not for its tick')
})

test('a function that refuses connections costs no attempt, and runs as soon as it is back', async (t) => {
  const bench = await createWorkbench(t)
  const attempts: number[] = []
  const delivery = createDelivery(contractOf('steps'), async (_, { attempt }) => void attempts.push(attempt), bench)
  const urls: Record<string, string> = {}
  await startDriver(t, bench, { urls })
  await delivery.accept(incoming({ id: 'e1' }))
  await until('the driver has tried', async () => {
    const metric = await bench.instruments.lanesTaken.get()
    return metric.values.some(({ labels, value }) => labels.outcome === 'unreachable' && value >= 2)
  })
  assert.deepEqual(await bench.rows('SELECT attempts FROM sluice.parked'), [{ attempts: 0 }])

  const server = await startLoopbackServer(t, runOverHttp(delivery))
  urls['tested'] = server.url
  await done(bench, 'e1')
  assert.deepEqual(attempts, [1])
})

test('a connection that breaks leaves the lane to its lease', async (t) => {
  const bench = await createWorkbench(t)
  const delivery = createDelivery(contractOf('steps'), async () => undefined, bench)
  let breakIt = true
  const server = await startLoopbackServer(t, (request, response) => {
    if (breakIt) request.socket.destroy()
    else runOverHttp(delivery)(request, response)
  })
  await startDriver(t, bench, { urls: { tested: server.url } })
  await delivery.accept(incoming({ id: 'e1' }))
  await until('the connection broke', async () => {
    const metric = await bench.instruments.lanesTaken.get()
    return metric.values.some(({ labels }) => labels.outcome === 'broken')
  })
  const [lane] = await bench.rows(
    `SELECT extract(epoch FROM lease_until - clock_timestamp())::float8 AS left FROM sluice.lane`,
  )
  assert.ok(Number(lane?.['left']) > 10, 'the lease stands')

  breakIt = false
  await bench.database.query(`UPDATE sluice.lane SET lease_until = clock_timestamp()`)
  await done(bench, 'e1')
  assert.equal(server.requests.length, 2)
})

for (const status of [503, 404, 413]) {
  test(`an answer ${status} without a start gives the lane back a little later, at no attempt`, async (t) => {
    const bench = await createWorkbench(t)
    const delivery = createDelivery(contractOf('steps'), async () => undefined, bench)
    let declines = 2
    const server = await startLoopbackServer(t, (request, response) => {
      if ((declines -= 1) >= 0) request.resume().on('end', () => response.writeHead(status).end())
      else runOverHttp(delivery)(request, response)
    })
    await startDriver(t, bench, { urls: { tested: server.url } })
    await delivery.accept(incoming({ id: 'e1' }))
    await done(bench, 'e1')
    assert.equal(server.requests.length, 3)
  })
}

test('an answer is not believed: 200 without a start leaves the event parked, and it runs when the lease is over', async (t) => {
  const bench = await createWorkbench(t)
  const delivery = createDelivery(contractOf('steps'), async () => undefined, bench)
  let lies = true
  const server = await startLoopbackServer(t, (request, response) => {
    if (lies) request.resume().on('end', () => response.writeHead(200).end())
    else runOverHttp(delivery)(request, response)
  })
  await startDriver(t, bench, { urls: { tested: server.url } })
  await delivery.accept(incoming({ id: 'e1' }))
  await until('it answered', () => server.requests.length === 1)
  lies = false
  assert.deepEqual(await bench.rows('SELECT state FROM sluice.inbox'), [{ state: 'parked' }])
  await bench.database.query(`UPDATE sluice.lane SET lease_until = clock_timestamp()`)
  await done(bench, 'e1')
})

test('a handler that takes long in one lane delays no other lane and no other function', async (t) => {
  const bench = await createWorkbench(t)
  const slow = Promise.withResolvers<void>()
  const deliveries = Object.fromEntries(
    ['talker', 'tool'].map((name) => [
      name,
      createDelivery(
        contractOf('steps', { name }),
        async ({ id }) => (id === 'slow' ? slow.promise : undefined),
        bench,
      ),
    ]),
  )
  const urls: Record<string, string> = {}
  for (const [name, delivery] of Object.entries(deliveries))
    urls[name] = (await startLoopbackServer(t, runOverHttp(delivery))).url
  await startDriver(t, bench, { urls })
  await deliveries['talker']?.accept(incoming({ id: 'slow', key: 'minute' }))
  for (let n = 0; n < 10; n += 1) {
    await deliveries['talker']?.accept(incoming({ id: `t${n}`, key: `k${n}` }))
    await deliveries['tool']?.accept(incoming({ id: `f${n}`, key: `k${n}` }))
  }
  for (let n = 0; n < 10; n += 1) await Promise.all([done(bench, `t${n}`), done(bench, `f${n}`)])
  slow.resolve()
  await done(bench, 'slow')
})

test('a function with many lanes takes no more than its share, and others are served before its second', async (t) => {
  const bench = await createWorkbench(t)
  const gate = Promise.withResolvers<void>()
  let busyRuns = 0
  let most = 0
  const crowd = createDelivery(
    contractOf('steps', { name: 'crowd' }),
    async () => {
      busyRuns += 1
      most = Math.max(most, busyRuns)
      await gate.promise
      busyRuns -= 1
    },
    bench,
  )
  const lonely = createDelivery(contractOf('steps', { name: 'lonely' }), async () => undefined, bench)
  for (let n = 0; n < 30; n += 1) await crowd.accept(incoming({ key: `k${n}` }))
  await lonely.accept(incoming({ id: 'one' }))
  const urls = {
    crowd: (await startLoopbackServer(t, runOverHttp(crowd))).url,
    lonely: (await startLoopbackServer(t, runOverHttp(lonely))).url,
  }
  await startDriver(t, bench, { urls, perFunction: 4, total: 5 })

  await done(bench, 'one')
  await until('the share is used', () => most === 4)
  gate.resolve()
  await until('the crowd is served', async () => (await bench.rows('SELECT FROM sluice.lane')).length === 0)
  assert.equal(most, 4)
})

test('a tenant with a thousand due lanes does not keep another waiting', async (t) => {
  const bench = await createWorkbench(t)
  let crowds = 0
  const delivery = createDelivery(
    contractOf('steps'),
    async (_, { tenant }) => void (crowds += tenant === 'crowd' ? 1 : 0),
    bench,
  )
  const batch = Array.from({ length: 1_000 }, (_, n) => incoming({ key: `k${n}`, tenant: 'crowd' }))
  await Promise.all(batch.map((event) => delivery.accept(event)))
  const server = await startLoopbackServer(t, runOverHttp(delivery))
  await startDriver(t, bench, { urls: { tested: server.url }, perFunction: 4 })
  await until('the crowd is being served', () => crowds > 4)
  await delivery.accept(incoming({ id: 'one', key: 'one', tenant: 'few' }))
  const before = crowds
  await done(bench, 'one')
  assert.ok(crowds - before < 200, `${crowds - before} of the crowd went first`)
})

test('two drivers at once run every event once, in the order of its key', async (t) => {
  const bench = await createWorkbench(t)
  const ran: string[] = []
  const delivery = createDelivery(contractOf('steps'), async ({ id }) => void ran.push(id), bench)
  const server = await startLoopbackServer(t, runOverHttp(delivery))
  await startDriver(t, bench, { urls: { tested: server.url } })
  await startDriver(t, bench, { urls: { tested: server.url } })
  const ids = Array.from({ length: 60 }, (_, n) => ({ id: `e${String(n).padStart(2, '0')}`, key: `k${n % 4}` }))
  for (const event of ids) await delivery.accept(incoming(event))
  await until('all lanes are empty', async () => (await bench.rows('SELECT FROM sluice.lane')).length === 0)
  assert.equal(ran.length, 60)
  for (let key = 0; key < 4; key += 1) {
    const ofKey = ran.filter((id) => Number(id.slice(1)) % 4 === key)
    assert.deepEqual(ofKey, ofKey.toSorted())
  }
})

test('stop() takes nothing more, does not wait for a long run, and the run ends without the driver', async (t) => {
  const bench = await createWorkbench(t)
  const started = Promise.withResolvers<void>()
  const finish = Promise.withResolvers<void>()
  const delivery = createDelivery(
    contractOf('steps'),
    async () => {
      started.resolve()
      await finish.promise
    },
    bench,
  )
  const server = await startLoopbackServer(t, runOverHttp(delivery))
  const driver = await startDriver(t, bench, { urls: { tested: server.url }, stopTimeoutMs: 50 })
  await delivery.accept(incoming({ id: 'e1' }))
  await started.promise
  assert.equal(await Promise.race([driver.stop(), sleep(5_000, 'too late', { ref: false })]), undefined)
  await delivery.accept(incoming({ id: 'e2', key: 'other' }))
  finish.resolve()
  await done(bench, 'e1')
  assert.equal(server.requests.length, 1)
})
