import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { wordsOf } from '../../../shared/memory/index.ts'

test('words are lower-cased and told apart from everything else, repeats included', () => {
  assert.deepEqual(wordsOf('The cat, the CAT – and “the” dog: 42!'), [
    'the',
    'cat',
    'the',
    'cat',
    'and',
    'the',
    'dog',
    '42',
  ])
  assert.deepEqual(wordsOf('…!? 🙂'), [])
  assert.deepEqual(wordsOf(''), [])
})

test('an apostrophe ends a word, of whatever kind it is', () => {
  assert.deepEqual(wordsOf("l'été d’Anne don't"), ['l', 'été', 'd', 'anne', 'don', 't'])
})

test('scripts without spaces have words too', () => {
  assert.ok(wordsOf('私は東京都に住んでいます').includes('東京'))
  assert.ok(wordsOf('我喜欢北京烤鸭').length > 1)
  assert.ok(wordsOf('ฉันชอบกินข้าว').length > 1)
})

test('a text is found however its accents were composed', () => {
  assert.deepEqual(wordsOf('e\u0301te\u0301'), wordsOf('été'))
})

test('endless words are none, and a text has a bounded number of different words', () => {
  assert.deepEqual(wordsOf(`${'x'.repeat(101)} ${'y'.repeat(100)}`), ['y'.repeat(100)])
  const many = Array.from({ length: 6_000 }, (_, at) => `w${at}`).join(' ')
  assert.equal(wordsOf(many).length, 5_000)
})

test('any text gives words that a lexeme of Postgres can hold', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
      for (const word of wordsOf(text)) assert.ok(word !== '' && Buffer.byteLength(word) < 2_046 && !word.includes(' '))
    }),
  )
})
