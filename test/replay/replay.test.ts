import assert from 'node:assert/strict'
import { test } from 'node:test'
import { recordEvents, replayEvents, type EventLine } from '../../local/replay/index.ts'
import { startPlatform, type TestPlatform } from '../e2e/support/index.ts'
import { until } from '../support/index.ts'

async function record(platform: TestPlatform, topic: string): Promise<readonly EventLine[]> {
  const lines: EventLine[] = []
  const signal = AbortSignal.timeout(10_000)
  for await (const one of recordEvents(
    { topic, from: 'earliest', limit: Number.POSITIVE_INFINITY },
    platform.eventLog,
    signal,
  )) {
    if (one.kind === 'event') lines.push({ kind: 'event', line: lines.length + 1, event: one.event })
  }
  return lines
}

async function* each(lines: readonly EventLine[]): AsyncGenerator<EventLine> {
  yield* lines
}

test(
  'replaying what a function took before is absorbed: nothing runs, nothing is emitted',
  { timeout: 90_000 },
  async (t) => {
    const platform = await startPlatform(t)
    const turn = await platform.send('What is 17*23?')
    await turn.completed()
    const before = { asked: platform.model.requests().length, story: turn.watch.story() }

    for (const [topic, name] of [
      ['conversation.inbound', 'conversation-worker'],
      ['tool.requests', 'tool-executor'],
      ['tool.results', 'conversation-worker'],
    ] as const) {
      const lines = await record(platform, topic)
      assert.ok(lines.length > 0)
      for (let round = 0; round < 2; round += 1) {
        const report = await replayEvents(each(lines), { url: `${platform.urls.get(name) ?? ''}/`, timeoutMs: 10_000 })
        assert.deepEqual([...report.answers], [[200, lines.length]])
        assert.deepEqual(report.failures, [])
      }
    }
    const again = await platform.send('echo still here', { sessionId: turn.sessionId })
    await again.completed()
    assert.equal(platform.model.requests().filter(({ turn: id }) => id === turn.turnId).length, before.asked)
    // the first turn has a stream of its own, which may hear of the second turn a moment later
    const completed = (): number => turn.watch.story().filter((line) => line === 'turn.completed').length
    await until('the first stream tells the end of the second turn', () => completed() >= 2)
    assert.equal(completed(), 2)
    assert.deepEqual(turn.watch.story().slice(0, before.story.length), before.story)
  },
)

test('an event under a new id is handled anew', { timeout: 90_000 }, async (t) => {
  const platform = await startPlatform(t)
  const turn = await platform.send('What is 17*23?')
  await turn.completed()
  const lines = await record(platform, 'conversation.inbound')
  const [line] = lines
  assert.ok(line?.kind === 'event')
  const renamed: EventLine = { ...line, event: { ...line.event, id: `${line.event.id}-again` } }
  const report = await replayEvents(each([renamed]), {
    url: `${platform.urls.get('conversation-worker') ?? ''}/`,
    timeoutMs: 10_000,
  })
  assert.deepEqual([...report.answers], [[202, 1]], 'accepted into its lane')
})
