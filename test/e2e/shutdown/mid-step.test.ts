// SIGTERM in the middle of a step, on the whole platform: what can end within the limit is ended and not done twice, what cannot is
// handed back, and the turn goes on without it.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { startLoopbackServer, until } from '../../support/index.ts'
import { startPlatform, type TestPlatform, type Turn } from '../support/index.ts'

const limit = { timeout: 180_000 }

const timesAsked = (platform: TestPlatform, { turnId }: Turn): number =>
  platform.model.requests().filter(({ turn }) => turn === turnId).length

interface Receipt {
  readonly finished: readonly string[]
  readonly released: readonly string[]
  readonly failed_steps: readonly string[]
}

function receiptOf({ logFolder }: TestPlatform, name: string): Receipt {
  const lines = readFileSync(join(logFolder, `${name}.log`), 'utf8').split('\n')
  const line = lines.find((one) => one.includes('"message":"shutdown complete"')) ?? assert.fail('no receipt')
  return JSON.parse(line) as Receipt
}

test('conversation-worker while the model answers: the answer is finished, exit 0', limit, async (t) => {
  const platform = await startPlatform(t, {
    env: { SHUTDOWN_TIMEOUT_MS: '20000' },
    script: 'rules: [{ when: { round: 0 }, then: { token_delay_ms: 200, text: "one two three four five six seven" } }]',
  })
  const turn = await platform.send('count')
  await until('the answer streams', () => turn.watch.deltas.length > 0, { limitMs: 60_000 })
  platform.process('conversation-worker').kill('SIGTERM')
  assert.match(await turn.completed(60_000), /seven/)
  await platform.process('conversation-worker').died('code 0')
  assert.equal(timesAsked(platform, turn), 1)
  const { finished, released, failed_steps: failed } = receiptOf(platform, 'conversation-worker')
  assert.deepEqual([finished.length, released, failed], [1, [], []])
})

test(
  'conversation-worker while the model is silent: handed back, exit 1, and its successor asks again',
  limit,
  async (t) => {
    const platform = await startPlatform(t, {
      env: { SHUTDOWN_TIMEOUT_MS: '3000' },
      script: 'rules: [{ when: { round: 0 }, times: 1, then: { hang: true } }]',
    })
    const turn = await platform.send('count')
    await until('the model is asked', () => timesAsked(platform, turn) > 0, { limitMs: 60_000 })
    platform.process('conversation-worker').kill('SIGTERM')
    await platform.process('conversation-worker').died('code 1')
    const { finished, released } = receiptOf(platform, 'conversation-worker')
    assert.deepEqual([finished, released.length], [[], 1])
    await turn.completed(90_000)
    assert.equal(timesAsked(platform, turn), 2)
  },
)

test('tool-executor while its tool waits: the call is finished once, exit 0', limit, async (t) => {
  const held = Promise.withResolvers<void>()
  const page = await startLoopbackServer(
    t,
    (_request, response) => void held.promise.then(() => response.end('forty-two')),
  )
  const platform = await startPlatform(t, {
    env: { SHUTDOWN_TIMEOUT_MS: '20000', SLUICE_HTTP_FETCH_ALLOW: `127.0.0.1:${page.port}` },
  })
  const turn = await platform.send(`fetch ${page.url}/page`)
  await until('the page is asked for', () => page.requests.length > 0, { limitMs: 60_000 })
  platform.process('tool-executor').kill('SIGTERM')
  await until(
    'the drain has begun',
    () => readFileSync(join(platform.logFolder, 'tool-executor.log'), 'utf8').includes('shutdown begins'),
    { limitMs: 30_000 },
  )
  held.resolve()
  await platform.process('tool-executor').died('code 0')
  assert.match(await turn.completed(60_000), /forty-two/)
  assert.equal(page.requests.length, 1)
  assert.equal(receiptOf(platform, 'tool-executor').finished.length, 1)
})
