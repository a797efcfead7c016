// When a call is made again, when no more is, and that calls do not stand in each other’s way.

import { test } from 'node:test'
import assert from 'node:assert/strict'
import type { SluiceError } from '../../../shared/errors/index.ts'
import { until } from '../../support/index.ts'
import { done, startModel, stop, stream, text } from './misbehaving-model.ts'

test('a connection that dies before any answer is tried once more', async (t) => {
  let requests = 0
  const model = await startModel(t, (response) => {
    requests += 1
    if (requests === 1) response.destroy()
    else stream(response).end(text('second') + stop + done)
  })
  assert.equal((await model.ask()).text, 'second')
  assert.equal(requests, 2)
  assert.match(model.lines.join(''), /trying once more/)
})

test('a model that is not there is unavailable after two tries, and soon after one', async (t) => {
  const model = await startModel(t, (response) => void response.destroy())
  await assert.rejects(model.ask(), { code: 'model_unavailable' })
  assert.equal(model.bodies.length, 2)
  for (let call = 0; call < 6; call += 1) await assert.rejects(model.ask())
  const before = model.bodies.length
  await assert.rejects(model.ask())
  assert.ok(model.bodies.length - before <= 1, 'the budget is used up')
})

test('an answer that began is not asked for again, whatever went wrong', async (t) => {
  for (const status of [429, 500, 503]) {
    const model = await startModel(t, (response) => response.writeHead(status).end())
    await assert.rejects(model.ask())
    assert.equal(model.bodies.length, 1)
  }
})

test('the breaker opens on failures of the model, names the pause, and closes on its first token', async (t) => {
  let healthy = false
  const model = await startModel(
    t,
    (response) => {
      if (healthy) stream(response).end(text('back') + stop + done)
      else response.writeHead(500).end()
    },
    { breakerResetMs: 50 },
  )
  for (let call = 0; call < 10; call += 1) await assert.rejects(model.ask(), { code: 'model_unavailable' })
  await assert.rejects(
    model.ask(),
    (error: SluiceError) => error.code === 'circuit_open' && error.retryAfterMs !== undefined,
  )
  assert.equal(model.bodies.length, 10)
  assert.equal(model.client.health().status, 'down')
  healthy = true
  const answer = await until('the breaker lets a call through', () => model.ask().catch(() => undefined))
  assert.equal(answer.text, 'back')
  assert.equal(model.client.health().status, 'up')
})

test('a long answer shows with its first token that the model is back', async (t) => {
  let healthy = false
  const rest = Promise.withResolvers<void>()
  const model = await startModel(
    t,
    (response) => {
      if (healthy) {
        stream(response).write(text('back'))
        void rest.promise.then(() => response.end(stop + done))
      } else {
        response.writeHead(500).end()
      }
    },
    { breakerResetMs: 50 },
  )
  for (let call = 0; call < 10; call += 1) await assert.rejects(model.ask())
  healthy = true
  await until('the breaker is half open', () => model.client.health().status === 'unknown')
  const first = model.ask()
  await until('the first token is there', () => model.deltas.length === 1)
  const second = model.ask()
  await until('the second call is let through before the first has ended', () => model.deltas.length === 2)
  rest.resolve()
  await Promise.all([first, second])
})

test('W-33a: refusals of bad requests and limits do not open the breaker', async (t) => {
  let status = 400
  const model = await startModel(t, (response) => response.writeHead(status).end('{}'))
  for (status of [400, 401, 429])
    for (let call = 0; call < 20; call += 1)
      await assert.rejects(model.ask(), (error: SluiceError) => error.code !== 'circuit_open')
  assert.equal(model.bodies.length, 60)
})

test('W-47: calls run side by side', async (t) => {
  const gate = Promise.withResolvers<void>()
  const model = await startModel(
    t,
    (response) => void gate.promise.then(() => stream(response).end(text('x') + stop + done)),
  )
  const asking = Array.from({ length: 50 }, () => model.ask())
  await until('all fifty are being answered', () => model.bodies.length === 50)
  gate.resolve()
  await Promise.all(asking)
})
