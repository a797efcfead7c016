import assert from 'node:assert/strict'
import { test } from 'node:test'
import { requestOf } from '../../../functions/conversation-worker/ask-model.ts'
import type { TurnView } from '../../../functions/conversation-worker/turn-view.ts'

const parameters = { type: 'object', properties: {} }
const view: TurnView = {
  state: 'thinking',
  rounds: 0,
  stopCause: null,
  remainingMs: 60_000,
  instructions: null,
  profile: { model: 'of-the-profile', temperature: 0.7, maxOutputTokens: 300, contextTokens: 4_000, maxToolRounds: 2 },
  tools: [
    { name: 'on', enabled: true, description: 'a tool', parameters },
    { name: 'off', enabled: false, description: 'another', parameters },
  ],
  history: [{ text: 'hello', answer: null, reason: null, rounds: [] }],
}
const ask = (more: Partial<TurnView> = {}, modelName = '') =>
  requestOf({ key: { tenant: 'local', sessionId: 's1' }, turnId: 't1', view: { ...view, ...more }, modelName })

test('W-35: every setting of the profile reaches the model', () => {
  const { model, temperature, maxTokens, requestId } = ask()
  assert.deepEqual(
    { model, temperature, maxTokens, requestId },
    { model: 'of-the-profile', temperature: 0.7, maxTokens: 300, requestId: 's1/t1' },
  )
})

test('MODEL_NAME overrides the profile’s model and nothing else', () => {
  assert.deepEqual([ask({}, 'other').model, ask({}, 'other').temperature], ['other', 0.7])
})

test('what a profile leaves open is left to the model', () => {
  const request = ask({
    profile: { model: 'm', temperature: null, maxOutputTokens: null, contextTokens: 4_000, maxToolRounds: 2 },
  })
  assert.ok(!('temperature' in request) && !('maxTokens' in request))
})

test('W-36: only tools that the catalogue has and switches on are offered', () => {
  assert.deepEqual(
    ask().tools?.map(({ name }) => name),
    ['on'],
  )
})

test('when the rounds are used up no tool is offered, so that the model must answer', () => {
  assert.ok(ask({ rounds: 1 }).tools !== undefined)
  assert.equal(ask({ rounds: 2 }).tools, undefined)
})

test('without any profile the turn goes on with what the platform assumes', () => {
  assert.equal(ask({ profile: null }).model, 'default')
})
