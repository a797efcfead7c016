import { test } from 'node:test'
import assert from 'node:assert/strict'
import { numberWordsToDigits } from '../../../../local/rehearsal-model/mind/number-words.ts'

const cases: Readonly<Record<string, string>> = {
  seventeen: '17',
  'twenty-three': '23',
  'twenty three': '23',
  'one hundred and five': '105',
  'two hundred': '200',
  'a hundred': 'a 100',
  'three thousand two hundred and one': '3201',
  'one million two hundred thousand': '1200000',
  'five and six': '5 and 6',
  'two three': '2 and 3',
  zero: '0',
  'someone often weighs nothing': 'someone often weighs nothing',
}

for (const [words, digits] of Object.entries(cases)) {
  test(`${words} is ${digits}`, () => assert.equal(numberWordsToDigits(words), digits))
}
