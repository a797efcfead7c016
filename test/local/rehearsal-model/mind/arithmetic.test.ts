import { test } from 'node:test'
import assert from 'node:assert/strict'
import { findExpression } from '../../../../local/rehearsal-model/mind/arithmetic.ts'
import { cpuMsOf } from '../../../support/cpu-time.ts'

const found: Readonly<Record<string, string>> = {
  'What is 17*23?': '17*23',
  'what is 17 * 23': '17*23',
  'What is 17 times 23?': '17*23',
  'What is seventeen times twenty-three?': '17*23',
  'How much is one hundred and five plus two thousand?': '105+2000',
  'what is 17 x 23': '17*23',
  '17×23': '17*23',
  '12 ÷ 4 =': '12/4',
  '5 − 8': '5-8',
  'Calculate (2 + 3) * 4.': '(2+3)*4',
  'calculate 2^10': '2^10',
  'What is 2 to the power of 10?': '2^10',
  'what is 5 squared plus 1?': '5^2+1',
  'What is the square root of 16?': 'sqrt(16)',
  'What is 15% of 80?': '15/100*80',
  'what is twenty percent of fifty': '20/100*50',
  'add 5 and 7': '5+7',
  'Subtract 3 from 10': '10-3',
  'What is the product of 6 and 7?': '6*7',
  'divide 10 by 4': '10/4',
  'What is 10 divided by 4': '10/4',
  'What is 7 mod 3?': '7%3',
  'how much is 1,000,000 / 4?': '1000000/4',
  'What is 1/0?': '1/0',
  'what is 0.1 + 0.2?': '0.1+0.2',
  'What is -3 plus -4?': '-3+-4',
  'What is (17*23)?': '(17*23)',
}

for (const [clause, expression] of Object.entries(found)) {
  test(`${clause} is ${expression}`, () => assert.equal(findExpression(clause), expression))
}

const none = [
  'Hello there',
  'What is the capital of Peru?',
  'I have 3 cats and 2 dogs',
  'What happened on 2024-01-02?',
  'my number is 555-1234',
  'three times I told you',
  'What are the two best books?',
  'a well-known either/or question',
  'What is 5 7?',
  'what is love',
  '()',
  '',
]

for (const clause of none) {
  test(`${clause === '' ? 'silence' : clause} is no arithmetic`, () => assert.equal(findExpression(clause), undefined))
}

test('a very long message is read in a moment', () => {
  const ms = cpuMsOf(() => {
    for (const part of ['1+', '(', '1 ', 'one hundred and ', '-', '1,000', 'what is 1 '])
      findExpression(part.repeat(32_768 / part.length))
  })
  assert.ok(ms < 2_000, `${ms} ms`)
})
