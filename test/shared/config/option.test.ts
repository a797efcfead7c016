import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  addressesOption,
  booleanOption,
  choiceOption,
  integerOption,
  listOption,
  mapOption,
  secretOption,
  secretUrlOption,
  textOption,
  urlOption,
  type Option,
} from '../../../shared/config/option.ts'

const named = { variable: 'X', help: 'for tests' }
const refused = Symbol('refused')
const parse = <T>(option: Option<T>, text: string): T | typeof refused => {
  const parsed = option.parse(text)
  return parsed.ok ? parsed.value : refused
}

test('integers are whole, in range at both ends, and written plainly', () => {
  const option = integerOption({ ...named, fallback: 5, min: -2, max: 10 })
  assert.deepEqual(
    ['-3', '-2', '0', '10', '11', '1.5', '1e1', ' 1', '0x1', '', '9'.repeat(30)].map((text) => parse(option, text)),
    [refused, -2, 0, 10, refused, refused, refused, refused, refused, refused, refused],
  )
})

test('booleans are true or false and nothing else', () => {
  const option = booleanOption({ ...named, fallback: false })
  assert.deepEqual(
    ['true', 'false', 'TRUE', '1', 'no'].map((text) => parse(option, text)),
    [true, false, refused, refused, refused],
  )
})

test('a choice is one of the names', () => {
  const option = choiceOption({ ...named, choices: ['a', 'b'], fallback: 'a' })
  assert.deepEqual(
    ['a', 'b', 'c', 'A'].map((text) => parse(option, text)),
    ['a', 'b', refused, refused],
  )
})

test('a URL is absolute, http or https, and loses its trailing slashes', () => {
  const option = urlOption({ ...named, fallback: '' })
  assert.deepEqual(
    ['https://h/v1/', 'http://h:1', 'h:80', '/v1', 'ftp://h', 'file:///etc'].map((text) => parse(option, text)),
    ['https://h/v1', 'http://h:1', refused, refused, refused, refused],
  )
})

test('a secret URL begins with one of its schemes; it may name no host, as for a socket in the file system', () => {
  const option = secretUrlOption({ ...named, schemes: ['postgres://', 'postgresql://'] })
  const taken = ['postgres://u:p@h:1/d', 'postgresql://h/d', 'postgres:///d?host=/run/postgresql']
  for (const text of taken) {
    const value = parse(option, text)
    assert.ok(typeof value === 'object')
    assert.equal(value.reveal(), text)
  }
  for (const text of ['foo', 'postgres:h', 'http://h/d', 'postgres://h:99999/d', 'h:5432'])
    assert.equal(parse(option, text), refused, text)
})

test('addresses are host:port pairs, every one of them', () => {
  const option = addressesOption({ ...named, fallback: [] })
  assert.deepEqual(parse(option, 'kafka_1:9092, [::1]:9093,'), ['kafka_1:9092', '[::1]:9093'])
  for (const text of ['kafka', 'a:1,kafka', 'a:b', 'a:70000', 'http://a:1', 'a:1/x', ':1', 'u@a:1'])
    assert.equal(parse(option, text), refused, text)
})

test('a map refuses a pair without a name; a value may hold =', () => {
  const option = mapOption({ ...named, fallback: new Map() })
  assert.deepEqual(parse(option, 'a=b=c,'), new Map([['a', 'b=c']]))
  assert.equal(parse(option, '=b'), refused)
})

test('defaults read as a person would write them', () => {
  const shown = [
    integerOption({ ...named, fallback: 5, min: 0, max: 9 }),
    booleanOption({ ...named, fallback: true }),
    textOption({ ...named, fallback: '' }),
    listOption({ ...named, fallback: ['a', 'b'] }),
    listOption({ ...named, fallback: [] }),
    secretOption(named),
  ].map((option) => option.shown)
  assert.deepEqual(shown, ['5', 'true', '–', 'a,b', '–', '–'])
})
