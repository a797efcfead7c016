import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startPlatform } from './support/index.ts'

test('a slow model in one conversation does not delay another', { timeout: 90_000 }, async (t) => {
  const platform = await startPlatform(t, { script: 'rules: [{ when: { message: slow }, then: { delay_ms: 60000 } }]' })
  const slow = await platform.send('Be slow, please.')
  await slow.watch.event('the slow turn has started', ({ type }) => type === 'conversation.turn.started.v1')
  for (let index = 0; index < 16; index += 1) {
    // more conversations than partitions, so some share the slow one's
    const quick = await platform.send(`What is ${index}+1?`)
    assert.match(await quick.completed(10_000), new RegExp(String(index + 1)))
  }
  assert.deepEqual(slow.watch.story(), ['message.received', 'turn.started'], 'the slow one is still thinking')
})

test('fifty conversations at once complete without an error', { timeout: 120_000 }, async (t) => {
  const platform = await startPlatform(t)
  const turns = await Promise.all(Array.from({ length: 50 }, (_, index) => platform.send(`What is ${index}*3?`)))
  const answers = await Promise.all(turns.map((turn) => turn.completed(60_000)))
  for (const [index, answer] of answers.entries()) assert.match(answer, new RegExp(`\\b${index * 3}\\b`))
  assert.equal(platform.model.requests().length, 100, 'each asked the model twice')
})
