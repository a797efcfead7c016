import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTurnView, type FollowItem, type TurnNews } from '../../../local/conversation-client/index.ts'

const piece = (text: string, at: { readonly round?: number; readonly attempt?: number } = {}): FollowItem => ({
  kind: 'delta',
  turnId: 't',
  round: 1,
  attempt: 1,
  index: 0,
  ...at,
  text,
})
const event = (type: string, data: Readonly<Record<string, unknown>> = {}, turnId = 't'): FollowItem => ({
  kind: 'event',
  position: 1,
  eventId: 'e',
  type: `conversation.${type}.v1`,
  turnId,
  data,
})

const news = (...items: readonly FollowItem[]): readonly TurnNews[] => {
  const view = createTurnView('t')
  return items.flatMap((item) => view.take(item))
}

test('pieces are text, and the end gives only what was not shown yet', () => {
  assert.deepEqual(news(piece('Hel'), event('turn.completed', { answer: 'Hello' })), [
    { kind: 'text', text: 'Hel' },
    { kind: 'completed', answer: 'Hello', rest: 'lo' },
  ])
})

test('when pieces were lost on the way the end gives the whole answer', () => {
  assert.deepEqual(news(piece('He'), piece('o'), event('turn.completed', { answer: 'Hello' })).at(-1), {
    kind: 'completed',
    answer: 'Hello',
    rest: '\nHello',
  })
})

test('a higher attempt makes void what was shown of its round', () => {
  assert.deepEqual(
    news(piece('Hal'), piece('Hello', { attempt: 2 }), event('turn.completed', { answer: 'Hello' })).slice(1),
    [
      { kind: 'restarted', attempt: 2, shown: true },
      { kind: 'text', text: 'Hello' },
      { kind: 'completed', answer: 'Hello', rest: '' },
    ],
  )
})

test('tools, retries of the model and the end are told; other turns are not', () => {
  const told = news(
    event('turn.started'),
    event('turn.progressed', { phase: 'tool-started', tool: 'calculate' }),
    event('turn.progressed', { phase: 'tool-finished', tool: 'calculate', status: 'succeeded' }),
    event('turn.progressed', { phase: 'model-retried', detail: 'model_overloaded' }),
    event('turn.completed', { answer: 'other' }, 'another'),
    event('turn.failed', { reason: 'deadline_exceeded', detail: 'too slow' }),
  )
  assert.deepEqual(told, [
    { kind: 'tool-started', tool: 'calculate' },
    { kind: 'tool-finished', tool: 'calculate', status: 'succeeded' },
    { kind: 'model-retried', detail: 'model_overloaded' },
    { kind: 'failed', reason: 'deadline_exceeded', detail: 'too slow' },
  ])
})

test('an absence of the gateway is told once, and its return', () => {
  const away: FollowItem = { kind: 'disconnected', reason: 'gone', after: 4 }
  assert.deepEqual(news({ kind: 'connected', after: 0 }, away, away, { kind: 'connected', after: 4 }), [
    { kind: 'away', reason: 'gone' },
    { kind: 'back', afterPosition: 4 },
  ])
})
