import assert from 'node:assert/strict'
import { test } from 'node:test'
import { javaDouble, javaFloat } from '../../../../local/kafka-source/java/java-number.ts'

const float = (text: string): number => Math.fround(Number(text))

test('doubles are plain from 0.001 to below ten million and have an exponent beyond', () => {
  const printed = [1, 1.5, 0.001, 0.00099, 9_999_999, 10_000_000, 1e21, 1.25e-7, 123456.789].map(javaDouble)
  assert.deepEqual(printed, ['1.0', '1.5', '0.001', '9.9E-4', '9999999.0', '1.0E7', '1.0E21', '1.25E-7', '123456.789'])
})

test('the values that are no numbers, and both zeros', () => {
  const printed = [Number.NaN, Infinity, -Infinity, 0, -0].map(javaDouble)
  assert.deepEqual(printed, ['NaN', 'Infinity', '-Infinity', '0.0', '-0.0'])
})

test('no more digits than tell a value from its neighbours, but the nearest two where one would do', () => {
  const printed = [0.1, 1 / 3, Number.MIN_VALUE, Number.MAX_VALUE, 1e23, 2e-3].map(javaDouble)
  assert.deepEqual(printed, ['0.1', '0.3333333333333333', '4.9E-324', '1.7976931348623157E308', '1.0E23', '0.002'])
})

test('floats have the digits of 32 bits', () => {
  const printed = ['0.1', '0.3333333333', '3.4028235e38', '1e-45', '16777216', '1e10', '-2.5'].map((text) =>
    javaFloat(float(text)),
  )
  assert.deepEqual(printed, ['0.1', '0.33333334', '3.4028235E38', '1.4E-45', '1.6777216E7', '1.0E10', '-2.5'])
})
