// What a receiver does with more than it can do, and while it drains.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Guard } from '../../../../shared/function/receiver/overload-guard.ts'
import { until } from '../../../support/index.ts'
import { exchange, get, openConnection, post, type RawAnswer } from '../raw-http.ts'
import { message, messageHeaders, startEventServer } from './start-event-server.ts'

const limit = { timeout: 20_000 }
const event = (id: string) => post(messageHeaders({ 'ce-id': id }), message())

/** A handler that waits until the test lets it go, and knows how many run. */
function gatedHandler() {
  const waiting: (() => void)[] = []
  const seen = { running: 0, most: 0 }
  return {
    seen,
    handler: async () => {
      seen.running += 1
      seen.most = Math.max(seen.most, seen.running)
      await new Promise<void>((resolve) => waiting.push(resolve))
      seen.running -= 1
    },
    open: () => {
      for (const resolve of waiting.splice(0)) resolve()
    },
  }
}

test(
  'no more run than the concurrency allows, as many wait, and the rest is refused early with 503 and Retry-After',
  limit,
  async (t) => {
    const gate = gatedHandler()
    const server = await startEventServer(t, { concurrency: 2, handler: gate.handler })
    const answers: RawAnswer[] = []
    const sent = Array.from({ length: 7 }, (_, n) =>
      exchange(server.port, event(`e${n}`)).then((answer) => answers.push(answer)),
    )
    await until('three are refused', () => answers.length === 3)
    assert.deepEqual(
      answers.map(({ status, headers }) => [status, headers['retry-after']]),
      Array(3).fill([503, '1']),
    )
    await until('the rest got through', () => {
      gate.open()
      return answers.length === 7
    })
    await Promise.all(sent)
    assert.equal(gate.seen.most, 2)
    assert.equal(answers.filter(({ status }) => status === 200).length, 4)
  },
)

test('a full receiver refuses before the body has come', limit, async (t) => {
  const gate = gatedHandler()
  const server = await startEventServer(t, { concurrency: 1, handler: gate.handler })
  const running = [exchange(server.port, event('a')), exchange(server.port, event('b'))]
  await until('one runs', () => gate.seen.running === 1)
  const connection = await openConnection(server.port)
  const refused = async () => {
    connection.write(post(messageHeaders({ 'content-length': '1000' }), ''))
    return connection.answer({ limitMs: 1_000 })
  }
  // The second may still be on its way into the queue.
  const status = await until('it is full', async () => (await refused()).status)
  assert.equal(status, 503)
  connection.socket.destroy()
  await until('both are done', () => {
    gate.open()
    return gate.seen.running === 0 && server.events.length === 2
  })
  await Promise.all(running)
})

test('whoever waited past its deadline is answered 503 and does not run', limit, async (t) => {
  const gate = gatedHandler()
  const server = await startEventServer(t, { concurrency: 1, timeoutMs: 200, handler: gate.handler })
  const answers = await Promise.all([exchange(server.port, event('a')), exchange(server.port, event('b'))])
  assert.deepEqual(
    answers.map(({ status }) => status),
    [503, 503],
  )
  gate.open()
  await until('the first has ended', () => gate.seen.running === 0)
  assert.equal(server.events.length, 1)
})

test(
  'drain: what runs is finished, new requests get 503, and every caller of drain gets the same receipt',
  limit,
  async (t) => {
    const gate = gatedHandler()
    const server = await startEventServer(t, { handler: gate.handler })
    const running = exchange(server.port, event('in-flight'))
    await until('it runs', () => gate.seen.running === 1)
    assert.deepEqual(server.receiver.unfinished(), ['in-flight'])

    const never = new AbortController().signal
    const receipts = [server.receiver.drain(never), server.receiver.drain(never)]
    const late = await exchange(server.port, event('late'))
    assert.deepEqual([late.status, late.headers['retry-after'], late.closed], [503, '1', true])
    gate.open()
    assert.equal((await running).status, 200)
    assert.deepEqual(await Promise.all(receipts), Array(2).fill({ finished: ['in-flight'], released: [] }))
    assert.deepEqual(server.receiver.unfinished(), [])
  },
)

test('drain: a request whose body was still coming is told to come again', limit, async (t) => {
  const server = await startEventServer(t)
  const connection = await openConnection(server.port)
  const bytes = event('half')
  connection.write(bytes.subarray(0, -5))
  await exchange(server.port, event('whole')) // by now the other head has been read
  await server.receiver.drain(new AbortController().signal)
  connection.write(bytes.subarray(-5))
  assert.equal((await connection.answer()).status, 503)
  assert.deepEqual(
    server.events.map(({ id }) => id),
    ['whole'],
  )
})

test('drain: what does not end in time is aborted and named', limit, async (t) => {
  const reasons: unknown[] = []
  const server = await startEventServer(t, {
    handler: (_event, { signal }) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          reasons.push(signal.reason)
          reject(signal.reason as Error)
        })
      }),
  })
  const running = exchange(server.port, event('stuck'))
  await until('it runs', () => server.events.length === 1)
  assert.deepEqual(await server.receiver.drain(AbortSignal.abort()), { finished: [], released: ['stuck'] })
  assert.equal((await running).status, 503)
  assert.equal((reasons[0] as { code: string }).code, 'draining')
})

test('stop is safe in any state and closes idle connections', limit, async (t) => {
  const server = await startEventServer(t)
  const idle = await openConnection(server.port)
  await exchange(server.port, event('a'))
  await Promise.all([server.receiver.stop(), server.receiver.stop()])
  await server.receiver.stop()
  await until('the idle connection is closed', () => idle.socket.destroyed || idle.socket.readableEnded)
  assert.equal(server.receiver.health().status, 'down')
})

test(
  'a process in trouble takes no event, from source or lane, before the body has come; health gets in',
  limit,
  async (t) => {
    let trouble: Guard | undefined = 'event-loop'
    const answer = () => ({ status: 200, body: '{"status":"alive"}' }) as const
    const server = await startEventServer(t, { guard: { sheds: () => trouble }, answer })
    const connection = await openConnection(server.port)
    connection.write('POST / HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n')
    const refused = await connection.answer()
    connection.socket.destroy()
    assert.deepEqual([refused.status, refused.headers['retry-after']], [503, '1'])
    assert.equal((await exchange(server.port, get('/live'))).status, 200)
    assert.deepEqual(server.events, [])
    const shed = (await server.instruments.shed.get()).values.map(({ labels, value }) => `${labels.reason} ${value}`)
    assert.deepEqual(shed, ['event-loop 1'])
    trouble = undefined
    assert.equal((await exchange(server.port, event('later'))).status, 200)
  },
)

test('what runs and waits at each door is told', limit, async (t) => {
  const gate = gatedHandler()
  const server = await startEventServer(t, { concurrency: 1, handler: gate.handler })
  const sent = [exchange(server.port, event('a')), exchange(server.port, event('b'))]
  const { admissionRunning, admissionWaiting } = server.instruments
  const told = async () => {
    const [running, waiting] = await Promise.all([admissionRunning.get(), admissionWaiting.get()])
    return [...running.values, ...waiting.values].map(({ labels, value }) => `${labels.door} ${value}`)
  }
  await until('one runs and one waits', async () => (await told()).join() === 'source 1,lane 0,source 1,lane 0')
  await until('both are done', async () => {
    gate.open()
    return (await told()).join() === 'source 0,lane 0,source 0,lane 0'
  })
  await Promise.all(sent)
})
