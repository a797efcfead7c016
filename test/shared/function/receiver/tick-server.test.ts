import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { defineFunction, type TickContext } from '../../../../shared/function/index.ts'
import { until } from '../../../support/index.ts'
import { exchange, post } from '../raw-http.ts'
import { startServiceOfTest } from '../start-service.ts'

const janitor = defineFunction({
  name: 'janitor',
  purpose: 'Tests ticks',
  schedule: '* * * * *',
  budgetMs: 200,
  needs: [],
  scale: { min: 0, max: 1, concurrency: 5 },
})

// What a PingSource sends: binary mode, no data unless it is told to.
const tick = (id: string, more: Record<string, string> = {}) =>
  post({
    'ce-specversion': '1.0',
    'ce-id': id,
    'ce-source': '/apis/v1/namespaces/shop/pingsources/janitor',
    'ce-type': 'dev.knative.sources.ping',
    ...more,
  })

async function start(t: TestContext, work: (context: TickContext) => Promise<void>) {
  const ids: string[] = []
  const behaviour = async ({ id }: { readonly id: string }, context: TickContext): Promise<void> => {
    ids.push(id)
    await work(context)
  }
  const service = await startServiceOfTest(t, janitor, { behaviour })
  return { service, ids }
}

test('a tick runs the handler and is answered 200', async (t) => {
  const { service, ids } = await start(t, async () => undefined)
  assert.equal((await exchange(service.port, tick('1'))).status, 200)
  assert.deepEqual(ids, ['1'])
})

test('a tick that comes while another runs is answered 200 and runs nothing', async (t) => {
  const gate = Promise.withResolvers<void>()
  const { service, ids } = await start(t, () => gate.promise)
  const first = exchange(service.port, tick('1'))
  await until('it runs', () => ids.length === 1)
  assert.equal((await exchange(service.port, tick('2'))).status, 200)
  gate.resolve()
  assert.equal((await first).status, 200)
  assert.deepEqual(ids, ['1'])
})

test('the signal aborts when the budget is spent, and the handler may end in peace', async (t) => {
  const { service } = await start(t, async ({ signal, remainingMs }) => {
    assert.ok(remainingMs() > 100)
    await new Promise((resolve) => signal.addEventListener('abort', resolve))
    assert.ok(remainingMs() < 5) // a timer may fire a moment early
  })
  assert.equal((await exchange(service.port, tick('1'))).status, 200)
})

test('a handler that ignores its budget is answered 503 a moment later', { timeout: 20_000 }, async (t) => {
  const { service } = await start(t, () => new Promise(() => undefined))
  assert.equal((await exchange(service.port, tick('1'))).status, 503)
})

test('a handler that fails is 503 and may run at the next tick', async (t) => {
  let runs = 0
  const { service } = await start(t, async () => {
    runs += 1
    if (runs === 1) throw new Error('first time')
  })
  const statuses = [(await exchange(service.port, tick('1'))).status, (await exchange(service.port, tick('2'))).status]
  assert.deepEqual(statuses, [503, 200])
})

test('what is no tick is 400', async (t) => {
  const { service, ids } = await start(t, async () => undefined)
  assert.equal((await exchange(service.port, tick('1', { 'ce-type': 'other' }))).status, 400)
  assert.equal((await exchange(service.port, post({}, 'x'))).status, 400)
  assert.deepEqual(ids, [])
})
