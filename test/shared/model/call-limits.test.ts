// How long a call may take, phase by phase, and who may end it.

import { test } from 'node:test'
import assert from 'node:assert/strict'
import { SluiceError } from '../../../shared/errors/index.ts'
import { chunk, done, hello, startModel, stop, stream, text } from './misbehaving-model.ts'

test('a server that accepts and says nothing runs into the limit for the first token', async (t) => {
  const model = await startModel(t, () => {}, { timeouts: { firstTokenMs: 50 } })
  await assert.rejects(model.ask(), { code: 'model_timeout', details: { phase: 'first token' } })
})

test('greetings and keep-alive comments are no first token', async (t) => {
  const model = await startModel(
    t,
    (response) => {
      stream(response).write(hello)
      const ping = setInterval(() => response.write(': ping\n\n'), 10)
      response.once('close', () => clearInterval(ping))
    },
    { timeouts: { firstTokenMs: 100 } },
  )
  await assert.rejects(model.ask(), { code: 'model_timeout', details: { phase: 'first token' } })
})

test('reasoning that is not part of the answer keeps the call alive', async (t) => {
  const model = await startModel(
    t,
    (response) => {
      stream(response)
      let thoughts = 0
      const think = setInterval(() => {
        thoughts += 1
        response.write(chunk({ reasoning_content: 'hm' }))
        if (thoughts < 15) return
        clearInterval(think)
        response.end(text('42') + stop + done)
      }, 20)
    },
    { timeouts: { firstTokenMs: 200, idleMs: 200 } },
  )
  assert.equal((await model.ask()).text, '42')
})

test('a stream that falls silent runs into the limit between chunks', async (t) => {
  const model = await startModel(t, (response) => void stream(response).write(text('half')), {
    timeouts: { idleMs: 50 },
  })
  await assert.rejects(model.ask(), { code: 'model_timeout', details: { phase: 'next chunk' } })
})

test('a stream without end runs into the total limit', async (t) => {
  const model = await startModel(
    t,
    (response) => {
      stream(response)
      const more = setInterval(() => response.write(text('more ')), 10)
      response.once('close', () => clearInterval(more))
    },
    { timeouts: { totalMs: 150 } },
  )
  await assert.rejects(model.ask(), { code: 'model_timeout', details: { phase: 'total' } })
})

test('a finished answer does not wait for a server that leaves the stream open', async (t) => {
  const model = await startModel(t, (response) => void stream(response).write(text('whole') + stop), {
    timeouts: { idleMs: 60_000, totalMs: 60_000 },
  })
  const begun = performance.now()
  assert.equal((await model.ask()).text, 'whole')
  assert.ok(performance.now() - begun < 5_000)
})

test('the caller ends a call in any phase with its own reason, and the server sees the connection close', async (t) => {
  for (const sent of [undefined, hello, text('half')]) {
    const closed = Promise.withResolvers<void>()
    const caller = new AbortController()
    const model = await startModel(t, (response) => {
      response.once('close', closed.resolve)
      if (sent !== undefined) stream(response).write(sent)
      setTimeout(() => caller.abort(new SluiceError('lease_lost', 'gone')), 20)
    })
    await assert.rejects(model.ask({}, caller.signal), { code: 'lease_lost' })
    await closed.promise
  }
})

test('a call whose signal is aborted already asks nothing', async (t) => {
  const model = await startModel(t, (response) => response.end())
  await assert.rejects(model.ask({}, AbortSignal.abort(new SluiceError('aborted', 'gone'))), { code: 'aborted' })
  assert.deepEqual(model.bodies, [])
})
