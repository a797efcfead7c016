import assert from 'node:assert/strict'
import { test } from 'node:test'
import { atEnd } from './index.ts'

test('what was put up last is taken down first, and a failure stops nothing', async (t) => {
  const order: string[] = []
  const failing = t.test('a test with three things to take down', { todo: 'it fails by design' }, (inner) => {
    atEnd(inner, () => order.push('first'))
    atEnd(inner, () => {
      order.push('second')
      throw new Error('could not be taken down')
    })
    atEnd(inner, () => order.push('third'))
  })
  await failing
  assert.deepEqual(order, ['third', 'second', 'first'])
})
