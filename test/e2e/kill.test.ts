// Kill -9 of any one function process in the middle of a turn: the turn completes, the model is asked again only for the
// unfinished step, a finished tool is not run again, and the client sees no gap and no repeat (test/e2e/support/watch.ts).

import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { startLoopbackServer, until, type LoopbackServer } from '../support/index.ts'
import { startPlatform, type TestPlatform, type TestPlatformOptions, type Turn } from './support/index.ts'

interface World {
  readonly platform: TestPlatform
  /** What http_fetch reaches: it counts. */
  readonly page: LoopbackServer
  /** A turn with one tool round, whose tool leaves a trace outside. */
  send(): Promise<Turn>
}

async function world(t: TestContext, options: TestPlatformOptions = {}): Promise<World> {
  const page = await startLoopbackServer(t, (_, response) => response.end('forty-two'))
  const platform = await startPlatform(t, { ...options, env: { SLUICE_HTTP_FETCH_ALLOW: `127.0.0.1:${page.port}` } })
  return { platform, page, send: () => platform.send(`fetch ${page.url}/page`) }
}

/** Rounds in which the model was asked about the turn, in order: 0 is the first request. */
const roundsAsked = (platform: TestPlatform, { turnId }: Turn): readonly number[] =>
  platform.model.requests().flatMap(({ turn, round }) => (turn === turnId ? [round] : []))

const wholeTurn = [
  'message.received',
  'turn.started',
  'turn.progressed tool-started http_fetch',
  'turn.progressed tool-finished http_fetch succeeded',
  'turn.completed',
]

test(
  'the gateway dies after COMMIT: the message is taken once and the turn completes',
  { timeout: 90_000 },
  async (t) => {
    const { platform, page, send } = await world(t, { failpoints: { gateway: 'outbox.after-commit=kill' } })
    const turn = await send() // the client's retry, under the same idempotency key, finds the message taken
    await platform.process('gateway').died('SIGKILL')
    assert.match(await turn.completed(), /forty-two/)
    assert.deepEqual(turn.watch.story(), wholeTurn)
    assert.deepEqual(roundsAsked(platform, turn), [0, 1])
    assert.equal(page.requests.length, 1)
  },
)

test('the gateway dies while a client watches: the stream goes on where it was', { timeout: 90_000 }, async (t) => {
  const { platform, send } = await world(t, {
    script:
      'rules: [{ when: { round: 1 }, then: { token_delay_ms: 150, text: "It says forty-two, and it says so slowly." } }]',
  })
  const turn = await send()
  await turn.watch.event('the tool has finished', ({ data }) => data['phase'] === 'tool-finished')
  platform.process('gateway').kill()
  await platform.process('gateway').died('SIGKILL')
  assert.match(await turn.completed(), /forty-two/)
  assert.deepEqual(turn.watch.story(), wholeTurn)
  assert.equal(turn.watch.connects(), 2)
})

test(
  'the worker dies mid-stream: only the unfinished answer is asked for again, the tool is not',
  { timeout: 90_000 },
  async (t) => {
    const { platform, page, send } = await world(t, {
      script:
        'rules: [{ when: { round: 1 }, times: 1, then: { token_delay_ms: 300, text: "This answer will never be finished because the worker dies." } }]',
    })
    const turn = await send()
    await turn.watch.event('the tool has finished', ({ data }) => data['phase'] === 'tool-finished')
    await until('the answer streams', () => turn.watch.deltas.length > 0)
    platform.process('conversation-worker').kill()
    await platform.process('conversation-worker').died('SIGKILL')
    const answer = await turn.completed(30_000)
    assert.match(answer, /forty-two/)
    assert.deepEqual(turn.watch.story(), wholeTurn)
    assert.deepEqual(roundsAsked(platform, turn), [0, 1, 1])
    assert.equal(page.requests.length, 1)
    const last = turn.watch.deltas.filter(({ attempt }) => attempt === 2)
    assert.equal(last.map(({ text }) => text).join(''), answer, 'the second attempt replaces the first')
  },
)

test(
  'the worker dies before its commit: an answer that was complete is not asked for again',
  { timeout: 90_000 },
  async (t) => {
    // the first commit begins the turn; the second one stores what the model asked for
    const { platform, page, send } = await world(t, {
      failpoints: { 'conversation-worker': 'delivery.before-commit=kill@2' },
    })
    const turn = await send()
    await platform.process('conversation-worker').died('SIGKILL')
    assert.match(await turn.completed(30_000), /forty-two/)
    assert.deepEqual(turn.watch.story(), wholeTurn)
    assert.deepEqual(roundsAsked(platform, turn), [0, 1])
    assert.equal(page.requests.length, 1)
  },
)

test('the tool-executor dies after the tool ran: the tool is not run again', { timeout: 90_000 }, async (t) => {
  const { platform, page, send } = await world(t, { failpoints: { 'tool-executor': 'delivery.before-commit=kill' } })
  const turn = await send()
  await platform.process('tool-executor').died('SIGKILL')
  assert.equal(page.requests.length, 1, 'the tool ran before the crash')
  assert.match(await turn.completed(30_000), /forty-two/)
  assert.equal(page.requests.length, 1, 'and not again')
  assert.deepEqual(turn.watch.story(), wholeTurn)
  assert.deepEqual(roundsAsked(platform, turn), [0, 1])
})

test('outbox-sync dies between claim and POST: the lane is driven on', { timeout: 90_000 }, async (t) => {
  const { platform, page, send } = await world(t, { failpoints: { 'outbox-sync': 'lane.after-claim=kill' } })
  const turn = await send()
  await platform.process('outbox-sync').died('SIGKILL')
  assert.match(await turn.completed(40_000), /forty-two/)
  assert.deepEqual(turn.watch.story(), wholeTurn)
  assert.deepEqual(roundsAsked(platform, turn), [0, 1])
  assert.equal(page.requests.length, 1)
})
