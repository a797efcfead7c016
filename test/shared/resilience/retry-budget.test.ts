import { test } from 'node:test'
import assert from 'node:assert/strict'
import { createRetryBudget } from '../../../shared/resilience/index.ts'

const times = (count: number, act: () => void): void => Array.from({ length: count }).forEach(act)

test('retries stop when half of the ten tokens are gone', () => {
  const budget = createRetryBudget()
  times(4, budget.failed)
  assert.equal(budget.allowsRetry(), true)
  budget.failed()
  assert.equal(budget.allowsRetry(), false)
})

test('ten successes pay for one retry', () => {
  const budget = createRetryBudget()
  times(5, budget.failed)
  times(9, budget.succeeded)
  budget.failed()
  assert.equal(budget.allowsRetry(), false)
  times(11, budget.succeeded)
  assert.equal(budget.allowsRetry(), true)
})

test('a bucket never holds more than its size nor less than nothing', () => {
  const budget = createRetryBudget()
  times(1_000, budget.succeeded)
  times(5, budget.failed)
  assert.equal(budget.allowsRetry(), false)
  times(1_000, budget.failed)
  times(51, budget.succeeded)
  assert.equal(budget.allowsRetry(), true)
})
