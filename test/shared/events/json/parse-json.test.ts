import { test } from 'node:test'
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { jsonLimits, parseJson } from '../../../../shared/events/index.ts'
import { cpuMsOf } from '../../../support/cpu-time.ts'

const codeOf = (input: string | Uint8Array, limits = jsonLimits): string => {
  const parsed = parseJson(input, limits)
  return parsed.ok ? 'ok' : parsed.code
}

/** The same verdict from text and from its bytes. */
const bothWays = (text: string): string => {
  const codes = [codeOf(text), codeOf(Buffer.from(text))]
  assert.equal(codes[0], codes[1])
  return codes[0] ?? ''
}

const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth)
const withKeys = (count: number): string =>
  JSON.stringify(Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, 0])))

test('ordinary JSON is what JSON.parse makes of it', () => {
  for (const value of [
    null,
    true,
    0,
    -1.5,
    '',
    'a"\\\n',
    [],
    {},
    [1, [2, { a: [3] }]],
    { 'a:b': '{[:', '': 1, é: '日本' },
  ]) {
    assert.deepEqual(parseJson(JSON.stringify(value)), { ok: true, value })
  }
})

test('any value that JSON can hold exactly comes back, with escapes or without', () => {
  fc.assert(
    fc.property(fc.jsonValue({ noUnicodeString: false, maxDepth: 5 }), (value) => {
      const parsed = parseJson(Buffer.from(JSON.stringify(value)))
      if (parsed.ok) assert.deepEqual(parsed.value, JSON.parse(JSON.stringify(value)))
      else assert.ok(['number_out_of_range', 'invalid_character', 'forbidden_key'].includes(parsed.code), parsed.code)
    }),
    { numRuns: 500 },
  )
})

test('what is not JSON is invalid_json and the message does not repeat it', () => {
  const texts = [
    '',
    ' ',
    'secret',
    '{"a":1',
    '{"a":1}x',
    'NaN',
    '{"a":NaN}',
    'Infinity',
    '[1,]',
    '"open',
    '{"a" "b"}',
    ']]',
    '\u{feff}{}',
    '01',
    '"\t"',
  ]
  for (const text of texts) {
    const parsed = parseJson(text)
    assert.equal(parsed.ok ? 'ok' : parsed.code, 'invalid_json', text)
    assert.doesNotMatch(parsed.ok ? '' : parsed.message, /secret/)
  }
})

test('bytes that are not UTF-8 are refused, never replaced', () => {
  for (const bytes of [
    [0x22, 0xff, 0x22],
    [0x22, 0xc3, 0x22],
    [0x22, 0xed, 0xa0, 0x80, 0x22],
    [0x22, 0xc0, 0x80, 0x22],
    [0xff, 0xfe, 0x7b, 0x00],
  ]) {
    assert.equal(codeOf(Buffer.from(bytes)), 'invalid_encoding')
  }
  assert.equal(codeOf('"\ud800"'), 'invalid_encoding')
})

test('a view into a larger buffer is read in its own bounds', () => {
  const whole = Buffer.from('xx{"a":1}xx')
  assert.deepEqual(parseJson(new Uint8Array(whole.buffer, whole.byteOffset + 2, 7)), { ok: true, value: { a: 1 } })
})

const nestedObjects = (depth: number): string => '{"a":'.repeat(depth) + '1' + '}'.repeat(depth)

test('depth is limited: 63 and 64 pass, 65 does not, whether arrays or objects', () => {
  assert.equal(jsonLimits.depth, 64)
  assert.deepEqual(
    [63, 64, 65].map((depth) => bothWays(nested(depth))),
    ['ok', 'ok', 'too_complex'],
  )
  assert.deepEqual(
    [63, 64, 65].map((depth) => bothWays(nestedObjects(depth))),
    ['ok', 'ok', 'too_complex'],
  )
  assert.equal(bothWays(`[${nested(63)},${nested(63)}]`), 'ok')
  assert.equal(bothWays(`"${'['.repeat(1000)}"`), 'ok')
})

test('keys are limited over the whole text: 9,999 and 10,000 pass, 10,001 do not', () => {
  assert.equal(jsonLimits.keys, 10_000)
  assert.deepEqual(
    [9_999, 10_000, 10_001].map((count) => bothWays(withKeys(count))),
    ['ok', 'ok', 'too_complex'],
  )
  assert.deepEqual(
    [4_999, 5_000].map((count) => bothWays(`[${withKeys(5_001)},${withKeys(count)}]`)),
    ['ok', 'too_complex'],
  )
})

const textOfSize = (bytes: number): Buffer => Buffer.from(`"${'a'.repeat(bytes - 2)}"`)

test('size is limited: 1 MiB passes, a byte more does not', () => {
  const { bodyBytes } = jsonLimits
  assert.equal(bodyBytes, 1_048_576)
  assert.deepEqual(
    [bodyBytes - 1, bodyBytes, bodyBytes + 1].map((bytes) => codeOf(textOfSize(bytes))),
    ['ok', 'ok', 'body_too_large'],
  )
  assert.deepEqual(
    [9, 10, 11].map((bytes) => codeOf(textOfSize(bytes), { ...jsonLimits, bodyBytes: 10 })),
    ['ok', 'ok', 'body_too_large'],
  )
})

test('hostile text of the largest size is refused in 50 ms', () => {
  const { bodyBytes } = jsonLimits
  const members = '"a":1,'.repeat(bodyBytes / 6 - 1)
  const hostile = {
    depth: '['.repeat(bodyBytes),
    keys: `{${members}"a":1}`,
    number: '1'.repeat(bodyBytes),
    quotes: '"'.repeat(bodyBytes),
    escapes: '\\'.repeat(bodyBytes),
  }
  for (const [name, text] of Object.entries(hostile)) {
    const bytes = Buffer.from(text)
    const times = Array.from({ length: 3 }, () => cpuMsOf(() => assert.notEqual(codeOf(bytes), 'ok', name)))
    // the best of three: the work is what counts, not what runs beside it
    assert.ok(Math.min(...times) <= 50, `${name}: ${Math.min(...times)} ms`)
  }
})

test('keys that could reach a prototype are refused at any depth, however they are written', () => {
  const texts = [
    '{"__proto__":{"x":1}}',
    '{"__proto__":null}',
    '[{"a":[{"__proto__":1}]}]',
    '{"\\u005f_proto__":{"x":1}}',
    '{"constructor":{"prototype":{"x":1}}}',
    '{"a":{"constructor":{"x":1}}}',
  ]
  for (const text of texts) assert.equal(bothWays(text), 'forbidden_key', text)
  assert.equal(({} as Record<string, unknown>)['x'], undefined)
})

test('a constructor that is only a word is a key like any other', () => {
  for (const text of ['{"constructor":"Bosch"}', '{"prototype":{"x":1}}', '{"proto":{}}', '"__proto__"'])
    assert.equal(bothWays(text), 'ok')
})

test('a key that is there twice in one object is refused, also when the second is escaped', () => {
  for (const text of [
    '{"tenant":1,"tenant":1}',
    '{"a":{"b":1,"c":2,"b":3}}',
    '[{"a":1},{"a":1,"a":2}]',
    '{"a":1,"\\u0061":2}',
    '{"1":0,"1":0}',
  ]) {
    assert.equal(bothWays(text), 'duplicate_key', text)
  }
  for (const text of ['{"a":{"a":{"a":1}}}', '[{"a":1},{"a":1}]', '{"a":":\\":","b":"{}"}', '{"a":1,"A":1}'])
    assert.equal(bothWays(text), 'ok', text)
})

test('NUL and lone surrogates are refused in strings and in keys; pairs are not', () => {
  for (const text of [
    '"\\u0000"',
    '{"a\\u0000":1}',
    '["\\ud800"]',
    '{"\\udc00":1}',
    '"\\ud83d\\u0041"',
    '"\\udc00\\ud800"',
  ]) {
    assert.equal(bothWays(text), 'invalid_character', text)
  }
  for (const text of ['"\\ud83d\\ude00"', '"\\u0001"', '"\\\\u0000"', '"\u{10ffff}"'])
    assert.equal(bothWays(text), 'ok', text)
})

test('numbers that would not be kept exactly are refused', () => {
  const refused = [
    '9007199254740992',
    '9007199254740993',
    '-9007199254740992',
    '1e16',
    '1e999',
    '-1e999',
    '-0',
    '-0.0',
    '[{"a":-0}]',
    '-1e-400',
  ]
  for (const text of refused) assert.equal(bothWays(text), 'number_out_of_range', text)
  for (const text of [
    '9007199254740990',
    '9007199254740991',
    '-9007199254740991',
    '0',
    '0.1',
    '-0.5',
    '1e-400',
    '1.5e10',
  ])
    assert.equal(bothWays(text), 'ok', text)
})
