import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  hasEnded,
  isRunning,
  transition,
  type Transition,
  type TurnInput,
  type TurnState,
} from '../../../functions/conversation-worker/turn-machine.ts'

/** The state in which turn-changes.ts leaves the turn. */
function stateAfter(state: TurnState, outcome: Transition): TurnState {
  return outcome.kind === 'none' ? state : destinations[outcome.kind]
}

const destinations = {
  queue: 'queued',
  start: 'thinking',
  'think-again': 'thinking',
  'wait-for-tools': 'awaiting-tools',
  complete: 'completed',
  fail: 'failed',
} as const satisfies Record<Exclude<Transition['kind'], 'none'>, TurnState>

const states: readonly TurnState[] = ['accepted', 'queued', 'thinking', 'awaiting-tools', 'completed', 'failed']

const message = (
  session: 'idle' | 'busy' | 'paused',
  strategy: 'enqueue' | 'interrupt' | 'reject' = 'enqueue',
): TurnInput => ({ kind: 'message', session, strategy })
const asked = (open: number, rounds = 0): TurnInput => ({ kind: 'asked-for-tools', open, rounds, maxRounds: 3 })
const ended: TurnInput = { kind: 'ended', reason: 'cancelled' }

const start: Transition = { kind: 'start', stopOthers: false }
const fail = (reason: string, closeCalls = false): Transition => ({ kind: 'fail', reason, closeCalls })
const none: Transition = { kind: 'none' }

/** The table at the top of turn-machine.ts, row by row: accepted, queued, thinking, awaiting-tools. */
const table: readonly (readonly [string, TurnInput, readonly Transition[]])[] = [
  ['a message to an idle session', message('idle'), [start, none, none, none]],
  ['a message to a busy session that enqueues', message('busy'), [{ kind: 'queue' }, none, none, none]],
  [
    'a message to a busy session that interrupts',
    message('busy', 'interrupt'),
    [{ kind: 'start', stopOthers: true }, none, none, none],
  ],
  ['a message to a busy session that rejects', message('busy', 'reject'), [fail('turn_running'), none, none, none]],
  ['a message to a paused session', message('paused', 'interrupt'), [{ kind: 'queue' }, none, none, none]],
  ['its place came', { kind: 'place-came' }, [none, start, none, none]],
  ['the model answered', { kind: 'answered' }, [none, none, { kind: 'complete' }, none]],
  ['the model asked for tools', asked(2), [none, none, { kind: 'wait-for-tools' }, none]],
  [
    'the model asked for tools that were all answered on the spot',
    asked(0),
    [none, none, { kind: 'think-again' }, none],
  ],
  ['the model asked for tools once too often', asked(2, 3), [none, none, fail('tool_rounds_exceeded'), none]],
  ['the last call finished', { kind: 'call-finished', open: 0 }, [none, none, none, { kind: 'think-again' }]],
  ['another call finished', { kind: 'call-finished', open: 1 }, [none, none, none, none]],
  ['the turn is to end', ended, [fail('cancelled'), fail('cancelled'), fail('cancelled'), fail('cancelled', true)]],
]

for (const [what, input, outcomes] of table) {
  states.slice(0, 4).forEach((state, index) => {
    const outcome = outcomes[index] ?? none
    test(`${what}: ${state} → ${outcome.kind === 'none' ? 'nothing' : stateAfter(state, outcome)}`, () => {
      assert.deepEqual(transition(state, input), outcome)
    })
  })
  test(`${what}: a turn that has ended stays as it is`, () => {
    assert.deepEqual(transition('completed', input), none)
    assert.deepEqual(transition('failed', input), none)
  })
}

const anyInput: fc.Arbitrary<TurnInput> = fc.constantFrom(...table.map(([, input]) => input))

test('whatever happens in whatever order, a turn ends at most once and never runs again', () => {
  fc.assert(
    fc.property(fc.array(anyInput, { maxLength: 40 }), (inputs) => {
      let state: TurnState = 'accepted'
      let ends = 0
      for (const input of inputs) {
        const after = stateAfter(state, transition(state, input))
        if (hasEnded(after) && !hasEnded(state)) ends += 1
        if (hasEnded(state)) assert.equal(after, state)
        if (isRunning(state) && !isRunning(after)) assert.ok(hasEnded(after))
        state = after
      }
      assert.ok(ends <= 1)
    }),
  )
})

test('a turn comes to the model only over `thinking`, and each repeat of an input changes nothing more', () => {
  fc.assert(
    fc.property(fc.constantFrom(...states), anyInput, (state, input) => {
      const outcome = transition(state, input)
      const again = transition(stateAfter(state, outcome), input)
      // Only the model's own outcomes may repeat: each stands for a new call of the model.
      if (input.kind !== 'asked-for-tools') assert.deepEqual(again, none)
    }),
  )
})
