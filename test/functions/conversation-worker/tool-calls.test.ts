import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  argumentBytes,
  callsPerRound,
  openCalls,
  planCalls,
  type PlannedCall,
} from '../../../functions/conversation-worker/tool-calls.ts'

const catalog = new Map([
  ['calculate', true],
  ['http_fetch', false],
])

const plan = (name: string, args: string, id = 'm1'): PlannedCall | undefined =>
  planCalls([{ id, name, arguments: args }], { round: 2, catalog })[0]

test('a call of a known tool with a JSON object becomes a request under an id of the turn', () => {
  assert.deepEqual(plan('calculate', '{"expression":"1"}'), {
    callId: 'c2-1',
    number: 1,
    tool: 'calculate',
    modelCallId: 'm1',
    argumentsText: '{"expression":"1"}',
    fate: { kind: 'request', args: { expression: '1' } },
  })
})

test('no arguments at all means an empty object', () => {
  assert.deepEqual(plan('calculate', ' ')?.fate, { kind: 'request', args: {} })
})

const broken: readonly (readonly [string, string])[] = [
  ['half an object', '{"expression":'],
  ['an array', '[1]'],
  ['null', 'null'],
  ['a string', '"x"'],
  ['a key twice', '{"a":1,"a":2}'],
  ['a prototype key', '{"__proto__":{}}'],
  ['NUL in a string', '{"a":"\\u0000"}'],
  ['a number beyond 2^53', '{"a":9007199254740993}'],
  ['nesting without end', `{"a":${'['.repeat(200)}${']'.repeat(200)}}`],
  ['more bytes than the limit', `{"a":"${'x'.repeat(argumentBytes)}"}`],
  [
    'more properties than the event takes',
    JSON.stringify(Object.fromEntries(Array.from({ length: 257 }, (_, i) => [`k${i}`, i]))),
  ],
]
for (const [what, text] of broken) {
  test(`${what} as arguments is answered on the spot, and the history keeps valid JSON`, () => {
    const call = plan('calculate', text)
    assert.ok(call?.fate.kind === 'answered' && call.fate.error.code === 'invalid_arguments')
    assert.equal(call.argumentsText, '{}')
  })
}

test('W-36: a tool that the catalogue lacks or switches off is not requested', () => {
  const [unknown, off] = [plan('rm_rf', '{}')?.fate, plan('http_fetch', '{}')?.fate]
  assert.ok(unknown?.kind === 'answered' && unknown.status === 'failed' && unknown.error.code === 'unknown_tool')
  assert.ok(off?.kind === 'answered' && off.status === 'blocked' && off.error.code === 'tool_disabled')
  assert.equal(plan('constructor', '{}')?.fate.kind, 'answered')
})

test('ids that the model left out, repeated or overdid are replaced by our own', () => {
  const ids = ['', 'same', 'same', 'x'.repeat(300), 'fine']
  const calls = planCalls(
    ids.map((id) => ({ id, name: 'calculate', arguments: '{}' })),
    { round: 1, catalog },
  )
  assert.deepEqual(
    calls.map(({ modelCallId }) => modelCallId),
    ['c1-1', 'c1-2', 'c1-3', 'c1-4', 'fine'],
  )
})

const calls = (count: number): readonly PlannedCall[] =>
  planCalls(
    Array.from({ length: count }, (_, i) => ({ id: `m${i}`, name: 'calculate', arguments: '{}' })),
    { round: 1, catalog },
  )

test('a round may have as many calls as the limit; the rest is refused', () => {
  assert.equal(openCalls(calls(callsPerRound - 1)), callsPerRound - 1)
  assert.equal(openCalls(calls(callsPerRound)), callsPerRound)
  assert.equal(openCalls(calls(callsPerRound + 1)), callsPerRound)
  assert.equal(calls(callsPerRound + 1).length, callsPerRound + 1)
})

test('a name that no event can carry is cut or replaced', () => {
  assert.equal(plan('', '{}')?.tool, '(none)')
  assert.equal(plan('n'.repeat(200), '{}')?.tool.length, 128)
})
