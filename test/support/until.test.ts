import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from './index.ts'

test('the first result that is something ends the wait', async () => {
  const results = [undefined, null, false, 0, 1]
  assert.equal(await until('there is a result', () => results.shift()), 0)
})

test('a condition that throws is asked again', async () => {
  let asked = 0
  const answer = await until('it answers', () => {
    asked += 1
    if (asked < 3) throw new Error('not yet')
    return asked
  })
  assert.equal(answer, 3)
})

test('a wait in vain names what it waited for and what it saw last', async () => {
  const never = until('the cows come home', () => Promise.reject(new Error('no cows')), { limitMs: 30 })
  await assert.rejects(never, /waited 30 ms in vain until the cows come home; last seen: Error: no cows/)
})
