import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRandom } from '../../../local/simulation/seeded-random.ts'

const draws = (seed: string): readonly number[] => {
  const random = createRandom(seed)
  return Array.from({ length: 1_000 }, () => random.next())
}

test('a seed repeats exactly, another one does not', () => {
  assert.deepEqual(draws('7'), draws('7'))
  assert.notDeepEqual(draws('7').slice(0, 3), draws('8').slice(0, 3))
})

test('numbers lie from 0 to below 1 and are spread over all of it', () => {
  const all = draws('7')
  assert.ok(all.every((number) => number >= 0 && number < 1))
  const tenths = new Set(all.map((number) => Math.floor(number * 10)))
  assert.equal(tenths.size, 10)
})

test('streams do not disturb each other', () => {
  const one = createRandom('7')
  const other = createRandom('7')
  one.stream('a').next()
  assert.equal(one.stream('b').next(), other.stream('b').next())
  assert.equal(one.next(), other.next())
})

test('a range is kept to', () => {
  const random = createRandom('7')
  for (let draw = 0; draw < 100; draw += 1) {
    const number = random.between({ from: 5, to: 6 })
    assert.ok(number >= 5 && number < 6)
  }
})
