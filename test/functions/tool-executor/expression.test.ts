import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { evaluateExpression, expressionLimits } from '../../../functions/tool-executor/expression.ts'
import { cpuMsOf } from '../../support/cpu-time.ts'

const results: readonly (readonly [string, number | string])[] = [
  ['17*23', 391],
  ['2+3*4^2', 50],
  ['-2^2', -4],
  ['(-2)^2', 4],
  ['2^3^2', 512],
  ['2**-1', 0.5],
  ['2^-2^2', 0.0625],
  ['2*-3', -6],
  ['- -3', 3],
  ['--2^2', 4],
  ['10 % 4', 2],
  ['100/10/5', 2],
  ['0.1+0.2', 0.3],
  ['1.1*3', 3.3],
  ['7/2', 3.5],
  ['1/3', 0.333333333333333],
  ['2**64', '18446744073709551616'],
  ['9007199254740993', '9007199254740993'],
  ['sqrt(16)+abs(-2)', 6],
  ['round(1.005, 2)', 1.01],
  ['round(-2.5)', -3],
  ['max(1, 7, 3) - min(4, 2)', 5],
  ['log(8, 2)', 3],
  ['round(2 * pi, 4)', 6.2832],
  ['5 × 3 − 6 ÷ 2', 12],
  ['1e3', 1_000],
  ['0 * -1', 0],
]
for (const [expression, expected] of results) {
  test(`${expression} is ${expected}`, () => assert.equal(evaluateExpression(expression), expected))
}

const refused = [
  '',
  '   ',
  '1/0',
  '5 % 0',
  'sqrt(-1)',
  '1e999',
  '9^9^9',
  '1 +',
  '(1',
  '1,000',
  '1;2',
  '12 34',
  '"a"',
  '[1]',
  'a.b',
  'this',
  'constructor',
  '__proto__',
  'toString()',
  'constructor.constructor("return process")()',
  '(1).constructor',
  'sqrt(4, 5)',
  'sqrt()',
  'a => a',
  '1 ? 2 : 3',
  '1 == 1',
  '!1',
  '0x10',
]
for (const expression of refused) {
  test(`'${expression}' is refused with a coded error`, () => {
    assert.throws(() => evaluateExpression(expression), { name: 'SluiceError', code: 'calculation_failed' })
  })
}

test('a refusal does not repeat the expression', () => {
  for (const expression of [
    '"hunter2',
    "1 + 'hunter2",
    '7hunter2',
    '1ehunter2',
    'hunter2',
    'hunter2(1',
    '1 hunter2',
    '{hunter2}',
  ])
    assert.throws(
      () => evaluateExpression(expression),
      (error: Error) => !/hunter|7h/.test(error.message) && !error.message.includes('1eh'),
      expression,
    )
})

test('an expression may be as long as the limit and not a character longer', () => {
  const { lengthMax } = expressionLimits
  assert.equal(evaluateExpression('1'.padEnd(lengthMax, ' ')), 1)
  assert.throws(() => evaluateExpression('1'.padEnd(lengthMax + 1, ' ')), { code: 'calculation_failed' })
})

test('a number may have as many bits as the limit and not one more', () => {
  const { exactBits } = expressionLimits
  assert.equal(evaluateExpression(`2^${exactBits - 1} - 2^${exactBits - 1} + 1`), 1)
  assert.throws(() => evaluateExpression(`2^${exactBits} - 1`), { code: 'calculation_failed' })
})

test('no expression takes long, however it is written', () => {
  const worst = [
    `${'('.repeat(499)}1${')'.repeat(499)}`,
    '-'.repeat(999),
    `2^${'9'.repeat(900)}`,
    `${'9^'.repeat(400)}9`,
  ]
  const ms = cpuMsOf(() => {
    for (const expression of worst) {
      try {
        evaluateExpression(expression)
      } catch (error) {
        assert.equal((error as { code?: string }).code, 'calculation_failed')
      }
    }
  })
  assert.ok(ms < 500, `${ms} ms`)
})

test('any text is either a result or the coded refusal, never another error', () => {
  const alphabet = fc.constantFrom(...'0123456789.+-*/%^(), esqrtpi\'"[]{}!?:;=\\`\u0000é'.split(''))
  fc.assert(
    fc.property(fc.array(alphabet, { maxLength: 40 }), (letters) => {
      try {
        return ['number', 'string'].includes(typeof evaluateExpression(letters.join('')))
      } catch (error) {
        return (error as { code?: string }).code === 'calculation_failed'
      }
    }),
    { numRuns: 2_000 },
  )
})

test('whole sums and products are exact', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }), fc.bigInt({ min: 0n, max: 10n ** 30n }), (a, b) => {
      assert.equal(String(evaluateExpression(`${a} * ${b}`)), String(a * b))
      assert.equal(String(evaluateExpression(`${a} + ${b}`)), String(a + b))
    }),
  )
})
