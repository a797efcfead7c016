// A function whose model breaks: real lanes, a real driver, a real model client with its breaker, real HTTP in between.

import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { test, type TestContext } from 'node:test'
import { createDelivery, createLaneDriver, releaseLane, type Delivery } from '../../../../shared/delivery/index.ts'
import { RetryLaterError, SluiceError } from '../../../../shared/errors/index.ts'
import { createModelClient, type ModelClient } from '../../../../shared/model/index.ts'
import { createBreaker } from '../../../../shared/resilience/index.ts'
import { atEnd, startLoopbackServer, until } from '../../../support/index.ts'
import { runOverHttp } from '../lanes/run-over-http.ts'
import { contractOf, createWorkbench, incoming, take, type Workbench } from '../workbench.ts'

interface Model {
  readonly client: ModelClient
  /** Requests that reached it. */
  readonly asked: () => number
  answer: (response: ServerResponse) => void
  ask(signal: AbortSignal): Promise<unknown>
}

const away = (response: ServerResponse): void => void response.writeHead(503).end()
const answers = (response: ServerResponse): void => {
  const message = { role: 'assistant', content: 'yes' }
  response.writeHead(200, { 'content-type': 'application/json' })
  response.end(JSON.stringify({ choices: [{ index: 0, message, finish_reason: 'stop' }] }))
}

async function startModel(t: TestContext, bench: Workbench, { resetMs }: { readonly resetMs: number }): Promise<Model> {
  const server = await startLoopbackServer(t, (request, response) => {
    request.resume().on('end', () => model.answer(response))
  })
  const timeouts = { connectMs: 2_000, firstTokenMs: 20_000, idleMs: 20_000, totalMs: 20_000 }
  const client = createModelClient({ baseUrl: server.url, timeouts, breakerResetMs: resetMs }, bench)
  atEnd(t, () => client.stop())
  const model: Model = {
    client,
    asked: () => server.requests.length,
    answer: away,
    ask: (signal) => client.complete({ model: 'm', messages: [{ role: 'user', content: 'well?' }] }, { signal }),
  }
  return model
}

async function breakIt({ client, ask }: Model): Promise<void> {
  await until('its breaker is open', async () => {
    await ask(new AbortController().signal).catch(() => undefined)
    return client.circuit.state() === 'open'
  })
}

async function drive(t: TestContext, bench: Workbench, functions: Readonly<Record<string, Delivery>>): Promise<void> {
  const urls = new Map<string, string>()
  for (const [name, delivery] of Object.entries(functions))
    urls.set(name, (await startLoopbackServer(t, runOverHttp(delivery))).url)
  const driver = createLaneDriver({ functionUrl: (name) => urls.get(name) ?? '' }, bench)
  atEnd(t, () => driver.stop())
  await driver.start(AbortSignal.timeout(5_000))
}

const waiting = (bench: Workbench) => bench.rows(`SELECT key FROM sluice.lane WHERE waits_for = 'model'`)
const isDone = (bench: Workbench, name: string, count: number) =>
  until(
    `${count} events of ${name} are done`,
    async () =>
      (await bench.rows(`SELECT FROM sluice.inbox WHERE state = 'done' AND function = $1`, [name])).length === count,
    { limitMs: 25_000 },
  )

test(
  'while the breaker is open 50 events cost no attempt and no call; one probes; then all are done in the order of their keys',
  { timeout: 90_000 },
  async (t) => {
    const bench = await createWorkbench(t)
    const model = await startModel(t, bench, { resetMs: 3_000 })
    const ran: { readonly id: string; readonly attempt: number }[] = []
    let entered = 0
    const talker = createDelivery(
      contractOf('steps', { name: 'talker' }),
      async ({ id }, { step, attempt, signal }) => {
        entered += 1
        await step('model', { effect: 'read' }, async () => void (await model.ask(signal)))
        ran.push({ id, attempt })
      },
      { ...bench, circuits: [model.client.circuit] },
    )
    const other = createDelivery(contractOf('steps', { name: 'other' }), async () => undefined, bench)
    await drive(t, bench, { talker, other })
    await breakIt(model)
    const asked = model.asked()
    for (let n = 0; n < 50; n += 1) {
      const id = String(n).padStart(2, '0')
      await talker.accept(incoming({ id, key: `k${n % 5}` }))
      if (n % 10 === 0) await other.accept(incoming({ id: `o${id}`, key: `k${n}` }))
    }
    await isDone(bench, 'other', 5)
    await until('every lane waits', async () => (await waiting(bench)).length === 5)
    const heads = await bench.rows(
      `SELECT DISTINCT ON (key) cause, attempts FROM sluice.parked WHERE function = 'talker' ORDER BY key, position`,
    )
    assert.deepEqual(heads, Array(5).fill({ cause: 'circuit_open', attempts: 0 }))

    // The model is back, but slow to say so.
    const held = Promise.withResolvers<ServerResponse>()
    model.answer = held.resolve
    const probe = await held.promise
    const probes = model.asked() - asked
    assert.deepEqual(ran, [])
    await until('the others wait for the probe', async () => (await waiting(bench)).length === 4)
    assert.equal(entered, probes, 'no handler ran but those of the probes')
    await bench.database.query(
      `UPDATE sluice.lane SET due_at = clock_timestamp(), epoch = 1000 WHERE waits_for = 'model'`,
    )
    await bench.database.notify('sluice_lane', 'talker')
    const looked = `SELECT FROM sluice.lane WHERE waits_for = 'model' AND epoch > 1000`
    await until('they looked, and wait again', async () => (await bench.rows(looked)).length === 4)
    assert.deepEqual([entered, model.asked() - asked], [probes, probes], 'no handler of them ran')

    model.answer = answers
    answers(probe)
    await isDone(bench, 'talker', 50)
    assert.equal(ran.length, 50)
    assert.deepEqual([...new Set(ran.map(({ attempt }) => attempt))], [1], 'no attempt was burnt')
    for (let key = 0; key < 5; key += 1) {
      const ofKey: readonly string[] = ran.map(({ id }) => id).filter((id) => Number(id) % 5 === key)
      assert.deepEqual(ofKey, ofKey.toSorted())
    }
    assert.deepEqual(await bench.rows('SELECT FROM sluice.dead_letter'), [])
  },
)

test('a long outage burns no attempt: each probe that opens the breaker again gives its attempt back', async (t) => {
  const bench = await createWorkbench(t)
  const model = await startModel(t, bench, { resetMs: 100 })
  const attempts: number[] = []
  const tested = createDelivery(
    contractOf('steps', { delivery: { attempts: 2, backoff: { firstMs: 1, maxMs: 1 }, timeoutMs: 5_000 } }),
    async (_, { attempt, signal }) => {
      attempts.push(attempt)
      // As the conversation-worker does.
      await model.ask(signal).catch((cause: unknown) => {
        throw new RetryLaterError({ afterMs: 1, reason: 'the model is away', cause })
      })
    },
    { ...bench, circuits: [model.client.circuit] },
  )
  await breakIt(model)
  const asked = model.asked()
  await drive(t, bench, { tested })
  await tested.accept(incoming({ id: 'e1' }))
  await until('it has probed five times', () => model.asked() - asked >= 5)
  model.answer = answers
  await isDone(bench, 'tested', 1)
  assert.ok(attempts.length >= 6, String(attempts))
  assert.deepEqual([...new Set(attempts)], [1])
})

test('a transaction event that arrives while the breaker is open is parked at once, and runs when it has closed', async (t) => {
  const bench = await createWorkbench(t)
  const model = await startModel(t, bench, { resetMs: 300 })
  const ran: string[] = []
  const tested = createDelivery(contractOf('transaction'), async ({ id }) => void ran.push(id), {
    ...bench,
    circuits: [model.client.circuit],
  })
  await breakIt(model)
  assert.equal((await tested.accept(incoming({ id: 'e1' }))).outcome, 'waiting')
  assert.equal((await tested.accept(incoming({ id: 'e2' }))).outcome, 'parked')
  assert.deepEqual(await bench.rows('SELECT attempts, cause FROM sluice.parked ORDER BY position'), [
    { attempts: 0, cause: 'circuit_open' },
    { attempts: 0, cause: null },
  ])
  assert.deepEqual(ran, [])
  model.answer = answers
  await drive(t, bench, { tested })
  await isDone(bench, 'tested', 2)
  assert.deepEqual(ran, ['e1', 'e2'])
})

test('a probe that never asks the model lets the next event probe', async (t) => {
  const bench = await createWorkbench(t)
  const model = await startModel(t, bench, { resetMs: 500 })
  const tested = createDelivery(
    contractOf('steps'),
    async ({ id }, { signal }) => {
      if (id !== 'silent') await model.ask(signal)
    },
    { ...bench, circuits: [model.client.circuit] },
  )
  await breakIt(model)
  for (const id of ['silent', 'a', 'b']) await tested.accept(incoming({ id, key: id }))
  await drive(t, bench, { tested })
  await until('all wait', async () => (await waiting(bench)).length === 3 || model.client.circuit.state() !== 'open')
  model.answer = answers
  await isDone(bench, 'tested', 3)
})

test('an event that has waited is run when it looks by itself, so that its handler may end it; a person may ask for that', async (t) => {
  const bench = await createWorkbench(t)
  const model = await startModel(t, bench, { resetMs: 60_000 })
  let patient = true
  const tested = createDelivery(
    contractOf('steps'),
    async (_, { signal }) => {
      if (patient) await model.ask(signal)
    },
    { ...bench, circuits: [model.client.circuit] },
  )
  await breakIt(model)
  const run = async (): Promise<string | undefined> => {
    const [taken] = await take(bench.database)
    return taken === undefined ? undefined : (await tested.run(taken.incoming, taken.token)).outcome
  }
  await tested.accept(incoming({ id: 'e1' }))
  assert.equal(await run(), 'waiting')
  assert.equal(await run(), undefined)
  const [{ due } = {}] = await bench.rows(
    `SELECT extract(epoch FROM due_at - clock_timestamp())::float8 AS due FROM sluice.lane`,
  )
  assert.ok(Number(due) > 25 && Number(due) <= 40, `it looks after ${Number(due)} s`)

  await releaseLane(bench.database, { function: 'tested', key: 'k' })
  assert.equal(await run(), 'waiting')
  patient = false
  await bench.database.query(`UPDATE sluice.lane SET due_at = clock_timestamp()`)
  assert.equal(await run(), 'done')
})

test('a breaker that is none of the function’s needs costs no attempt either; it says itself when to come again', async (t) => {
  const bench = await createWorkbench(t)
  const breaker = createBreaker({ dependency: 'tool sums', timeoutMs: 1_000, capacity: 9, volumeThreshold: 1 }, bench)
  atEnd(t, () => breaker.stop())
  await breaker.run(async () => Promise.reject(new Error('broken'))).catch(() => undefined)
  const tested = createDelivery(contractOf('steps'), () => breaker.run(async () => undefined), bench)
  await tested.accept(incoming({ id: 'e1' }))
  const [taken] = await take(bench.database)
  assert.ok(taken)
  assert.equal((await tested.run(taken.incoming, taken.token)).outcome, 'waiting')
  const [row] = await bench.rows(
    `SELECT attempts, cause, waits_for, extract(epoch FROM due_at - clock_timestamp())::float8 AS due
     FROM sluice.parked JOIN sluice.lane USING (function, key, due_at)`,
  )
  assert.deepEqual([row?.['attempts'], row?.['cause'], row?.['waits_for']], [0, 'circuit_open', null])
  assert.ok(Number(row?.['due']) > 5 && Number(row?.['due']) <= 10)
})

test('a dependency’s Retry-After decides when the event comes again, and counts as an attempt', async (t) => {
  const bench = await createWorkbench(t)
  const model = await startModel(t, bench, { resetMs: 1_000 })
  model.answer = (response) => void response.writeHead(429, { 'retry-after': '7' }).end()
  const tested = createDelivery(
    contractOf('steps'),
    async (_, { signal, step }) => step('ask', { effect: 'read' }, async () => void (await model.ask(signal))),
    { ...bench, circuits: [model.client.circuit] },
  )
  await tested.accept(incoming({ id: 'e1' }))
  const [taken] = await take(bench.database)
  assert.ok(taken)
  const answer = await tested.run(taken.incoming, taken.token)
  assert.deepEqual([answer.outcome, answer.code], ['retrying', 'model_rate_limited'])
  const [row] = await bench.rows(
    `SELECT attempts, cause, extract(epoch FROM lane.due_at - clock_timestamp())::float8 AS due
     FROM sluice.parked JOIN sluice.lane USING (function, key)`,
  )
  assert.deepEqual([row?.['attempts'], row?.['cause']], [1, 'model_rate_limited'])
  assert.ok(Number(row?.['due']) > 4 && Number(row?.['due']) <= 7, `${Number(row?.['due'])} s`)
})

test('runs are counted by how they ended', async (t) => {
  const bench = await createWorkbench(t)
  const errors = [new Error('again'), new SluiceError('circuit_open', 'open', { retryAfterMs: 0 })]
  const tested = createDelivery(
    contractOf('steps'),
    async () => {
      const error = errors.shift()
      if (error !== undefined) throw error
    },
    bench,
  )
  await tested.accept(incoming({ id: 'e1' }))
  await until('it is done', async () => {
    for (const { incoming: event, token } of await take(bench.database)) await tested.run(event, token)
    return (await bench.rows('SELECT FROM sluice.lane')).length === 0
  })
  const counted = (await bench.instruments.attempts.get()).values.map(({ labels, value }) => [labels.outcome, value])
  assert.deepEqual(counted, [
    ['retrying', 1],
    ['given-back', 1],
    ['done', 1],
  ])
})
