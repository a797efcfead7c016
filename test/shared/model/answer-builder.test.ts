import { test } from 'node:test'
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { createAnswerBuilder, type ModelAnswer } from '../../../shared/model/answer-builder.ts'
import { decodeChunk } from '../../../shared/model/chat-chunk.ts'

/** The answer that these deltas make, each a chunk of its own. */
function answerOf(deltas: readonly object[], finish = 'tool_calls'): ModelAnswer {
  let seed = 0
  const random = (): number => (seed = (seed + 0.137) % 1)
  const builder = createAnswerBuilder({ maxChars: 100_000 }, { random })
  for (const delta of deltas) builder.add(decodeChunk(JSON.stringify({ choices: [{ delta, finish_reason: null }] })))
  builder.add(decodeChunk(JSON.stringify({ choices: [{ delta: {}, finish_reason: finish }] })))
  return builder.build({ model: 'm', bodyLength: 0 })
}

/** A piece of a tool call: its index, id, name and some of its arguments, whichever of them it carries. */
type Piece = readonly [index: number | undefined, id: string | undefined, name: string | undefined, text: string]
const part = (...[index, id, name, text]: Piece) => ({
  ...(index === undefined ? {} : { index }),
  ...(id === undefined ? {} : { id, type: 'function' }),
  function: { ...(name === undefined ? {} : { name }), arguments: text },
})
const calls = (...parts: object[]): object => ({ tool_calls: parts })

test('several calls whose arguments arrive in interleaved pieces are put together by index', () => {
  const { toolCalls } = answerOf([
    calls(part(0, 'a', 'calculate', '')),
    calls(part(1, 'b', 'timestamp', '{"time')),
    calls(part(0, undefined, undefined, '{"expression":'), part(1, undefined, undefined, 'zone":"America/Lima"}')),
    calls(part(0, undefined, undefined, '"17*23"}')),
  ])
  assert.deepEqual(toolCalls, [
    { id: 'a', name: 'calculate', arguments: '{"expression":"17*23"}' },
    { id: 'b', name: 'timestamp', arguments: '{"timezone":"America/Lima"}' },
  ])
})

test('calls come out by index, in whatever order they came, gaps included', () => {
  const { toolCalls } = answerOf([
    calls(part(5, 'c', 'third', '{}')),
    calls(part(0, 'a', 'first', '{}')),
    calls(part(2, 'b', 'second', '{}')),
  ])
  assert.deepEqual(
    toolCalls.map(({ name }) => name),
    ['first', 'second', 'third'],
  )
})

test('missing ids are made up, each different', () => {
  const { toolCalls } = answerOf([calls(part(0, undefined, 'one', '{}')), calls(part(1, '', 'two', '{}'))])
  const ids = toolCalls.map(({ id }) => id)
  assert.equal(new Set(ids).size, 2)
  for (const id of ids) assert.match(id, /^call_[0-9a-z]{20}$/)
})

test('an id used for two calls is kept for the first only', () => {
  const { toolCalls } = answerOf([calls(part(0, 'same', 'one', '{}')), calls(part(1, 'same', 'two', '{}'))])
  assert.equal(toolCalls[0]?.id, 'same')
  assert.notEqual(toolCalls[1]?.id, 'same')
})

test('index 0 for every call, each with its own id and name, means separate calls', () => {
  const { toolCalls } = answerOf([calls(part(0, 'a', 'one', '{"x":1}')), calls(part(0, 'b', 'two', '{"y":2}'))])
  assert.deepEqual(toolCalls, [
    { id: 'a', name: 'one', arguments: '{"x":1}' },
    { id: 'b', name: 'two', arguments: '{"y":2}' },
  ])
})

test('without indexes, ids and names tell calls apart and bare pieces belong to the last', () => {
  const { toolCalls } = answerOf([
    calls(part(undefined, 'a', 'one', '{"x"')),
    calls(part(undefined, undefined, undefined, ':1}')),
    calls(part(undefined, 'b', 'two', '{')),
    calls(part(undefined, 'b', undefined, '}')),
    calls(part(undefined, undefined, 'three', '{}')),
  ])
  assert.deepEqual(
    toolCalls.map(({ name, arguments: text }) => `${name} ${text}`),
    ['one {"x":1}', 'two {}', 'three {}'],
  )
})

test('an id and a name repeated in every piece add nothing', () => {
  const { toolCalls } = answerOf([calls(part(0, 'a', 'echo', '{"text"')), calls(part(0, 'a', 'echo', ':"hi"}'))])
  assert.deepEqual(toolCalls, [{ id: 'a', name: 'echo', arguments: '{"text":"hi"}' }])
})

test('no arguments at all mean an empty object, and an object is written as text', () => {
  const { toolCalls } = answerOf([
    calls(part(0, 'a', 'now', '')),
    calls({ index: 1, id: 'b', function: { name: 'echo', arguments: { text: 'hi' } } }),
  ])
  assert.deepEqual(
    toolCalls.map(({ arguments: text }) => text),
    ['{}', '{"text":"hi"}'],
  )
})

test('calls make the finish tool_calls, except when the answer was cut off at its length', () => {
  assert.equal(answerOf([calls(part(0, 'a', 'echo', '{}'))], 'stop').finish, 'tool_calls')
  assert.equal(answerOf([calls(part(0, 'a', 'echo', '{"te'))], 'length').finish, 'length')
  assert.equal(answerOf([{ content: 'x' }], 'something new').finish, 'stop')
  assert.equal(answerOf([{ content: 'x' }], 'content_filter').finish, 'content_filter')
})

test('a refusal is the text of the answer', () => {
  assert.equal(answerOf([{ content: null, refusal: 'I cannot ' }, { refusal: 'help.' }], 'stop').text, 'I cannot help.')
})

const many = (count: number): ModelAnswer =>
  answerOf([calls(...Array.from({ length: count }, (_, index) => part(index, `id${index}`, 'echo', '{}')))])

test('more than 128 calls are too many', () => {
  assert.equal(many(128).toolCalls.length, 128)
  assert.throws(() => many(129), { code: 'response_too_large' })
})

test('however arguments are cut into pieces, they come out as they were', () => {
  const call = fc.record({
    name: fc.stringMatching(/^[a-z]{1,8}$/),
    text: fc.json(),
    cut: fc.array(fc.nat(40), { maxLength: 6 }),
  })
  fc.assert(
    fc.property(fc.array(call, { minLength: 1, maxLength: 5 }), (given) => {
      const pieces = given.flatMap(({ name, text, cut }, index) => {
        const at = [0, ...cut.map((place) => Math.min(place, text.length)).toSorted((a, b) => a - b), text.length]
        const parts = at.slice(1).map((end, piece) => text.slice(at[piece], end))
        return [part(index, `id${index}`, name, ''), ...parts.map((piece) => part(index, undefined, undefined, piece))]
      })
      const { toolCalls } = answerOf(pieces.map((piece) => calls(piece)))
      assert.deepEqual(
        toolCalls,
        given.map(({ name, text }, index) => ({ id: `id${index}`, name, arguments: text })),
      )
    }),
  )
})
