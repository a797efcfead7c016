import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createManualClock, until } from '../../../support/index.ts'
import { openConnection, post } from '../raw-http.ts'
import { message, messageHeaders, startEventServer } from './start-event-server.ts'

const limit = { timeout: 20_000 }
const event = (id: string) => post(messageHeaders({ 'ce-id': id }), message())

test(
  'a connection that was idle for its time is closed; one that is used, or has an event in flight, is not',
  limit,
  async (t) => {
    const clock = createManualClock()
    const gate = Promise.withResolvers<void>()
    const handler = async ({ id }: { readonly id: string }) => (id === 'long' ? gate.promise : undefined)
    const server = await startEventServer(t, { clock, handler, timeoutMs: 570_000, limits: { keepAliveMs: 1_000 } })
    const [idle, used, busy] = await Promise.all([1, 2, 3].map(() => openConnection(server.port)))
    assert.ok(idle !== undefined && used !== undefined && busy !== undefined)
    for (const connection of [idle, used]) {
      connection.write(event('first'))
      assert.equal((await connection.answer()).status, 200)
    }
    busy.write(event('long'))
    await until('it runs', () => server.events.length === 3)

    await clock.advance(750)
    used.write(event('second'))
    assert.equal((await used.answer()).status, 200)
    await clock.advance(500)
    await until('the idle one is closed', () => idle.socket.destroyed)
    assert.deepEqual([used.socket.destroyed, busy.socket.destroyed], [false, false])
    gate.resolve()
    assert.equal((await busy.answer()).status, 200)
    for (const { socket } of [used, busy]) socket.destroy()
  },
)

test(
  'events of a client that pipelines are in flight one beside the other, and answered in order',
  limit,
  async (t) => {
    const gates = new Map(['a', 'b', 'c'].map((id) => [id, Promise.withResolvers<void>()]))
    const server = await startEventServer(t, { handler: async ({ id }) => gates.get(id)?.promise })
    const connection = await openConnection(server.port)
    connection.write(Buffer.concat([event('a'), event('b'), event('c')]))
    await until('all run', () => server.receiver.unfinished().length === 3)
    for (const id of ['b', 'c']) gates.get(id)?.resolve()
    await until('two have ended', () => server.receiver.unfinished().length === 1)
    assert.deepEqual(server.receiver.unfinished(), ['a'])
    gates.get('a')?.resolve()
    for (let n = 0; n < 3; n += 1) assert.equal((await connection.answer()).status, 200)
    assert.deepEqual(server.receiver.unfinished(), [])
    connection.socket.destroy()
  },
)

test('an event whose connection closed stays in flight until its handler ends', limit, async (t) => {
  const gate = Promise.withResolvers<void>()
  const server = await startEventServer(t, { handler: () => gate.promise })
  const connection = await openConnection(server.port)
  connection.write(event('orphan'))
  await until('it runs', () => server.events.length === 1)
  connection.socket.destroy()
  await until('the server saw the close', () => new Promise<number>((resolve) => setImmediate(() => resolve(1))))
  assert.deepEqual(server.receiver.unfinished(), ['orphan'])
  const draining = server.receiver.drain(new AbortController().signal)
  gate.resolve()
  assert.deepEqual(await draining, { finished: ['orphan'], released: [] })
})
