import { test } from 'node:test'
import assert from 'node:assert/strict'
import { createRetryBudget } from '../../../shared/resilience/index.ts'
import { retry, type RetryOptions } from '../../../shared/resilience/retry.ts'
import { RejectedError, SluiceError, type ErrorCode } from '../../../shared/errors/index.ts'
import { createManualClock } from '../../support/index.ts'

const options = (more: Partial<RetryOptions> = {}): RetryOptions => ({
  attempts: 3,
  backoff: { firstMs: 200, maxMs: 5_000 },
  budget: createRetryBudget(),
  ...more,
})

const failing = (code: ErrorCode, retryAfterMs?: number) => {
  const attempts: number[] = []
  const work = async (attempt: number): Promise<never> => {
    attempts.push(attempt)
    throw new SluiceError(code, 'no', retryAfterMs === undefined ? {} : { retryAfterMs })
  }
  return { attempts, work }
}

test('a failing dependency is asked three times, whatever number was wished for', async () => {
  const clock = createManualClock()
  const { attempts, work } = failing('dependency_failed')
  const failed = assert.rejects(retry(options({ attempts: 50 }), { clock, random: () => 0.5 }, work), {
    code: 'dependency_failed',
  })
  await clock.advance(60_000)
  await failed
  assert.deepEqual(attempts, [1, 2, 3])
})

test('the waits are drawn from a doubling ceiling', async () => {
  const clock = createManualClock()
  const waits: number[] = []
  const onRetry = (_error: unknown, _attempt: number, waitMs: number): void => void waits.push(waitMs)
  const failed = assert.rejects(
    retry(options({ onRetry }), { clock, random: () => 0.5 }, failing('dependency_failed').work),
  )
  await clock.advance(60_000)
  await failed
  assert.deepEqual(waits, [100, 200])
})

test('an error that no retry can mend is thrown at once and costs no token', async () => {
  const budget = createRetryBudget()
  const clock = createManualClock()
  for (const error of [
    new SluiceError('data_invalid', 'no'),
    new RejectedError({ reason: 'no' }),
    new TypeError('a bug'),
  ]) {
    let calls = 0
    const work = async (): Promise<never> => {
      calls += 1
      throw error
    }
    await assert.rejects(retry(options({ budget }), { clock, random: () => 0 }, work), error)
    assert.equal(calls, 1)
  }
  assert.equal(budget.allowsRetry(), true)
})

test('Retry-After is obeyed to the millisecond', async () => {
  const clock = createManualClock()
  const { attempts, work } = failing('model_rate_limited', 3_000)
  const failed = assert.rejects(retry(options({ attempts: 2 }), { clock, random: () => 0 }, work))
  await clock.advance(2_999)
  assert.deepEqual(attempts, [1])
  await clock.advance(1)
  assert.deepEqual(attempts, [1, 2])
  await failed
})

test('a Retry-After longer than a request may wait is handed to the caller', async () => {
  const { attempts, work } = failing('model_rate_limited', 5_001)
  const retried = retry(options(), { clock: createManualClock(), random: () => 0 }, work)
  await assert.rejects(retried, { retryAfterMs: 5_001 })
  assert.deepEqual(attempts, [1])
})

test('a dead dependency under load sees at most a fifth more than its first tries', async () => {
  const clock = createManualClock()
  const budget = createRetryBudget()
  const { attempts, work } = failing('dependency_failed')
  for (let call = 0; call < 200; call += 1) {
    const failed = assert.rejects(retry(options({ budget }), { clock, random: () => 0.5 }, work))
    await clock.advance(10_000)
    await failed
  }
  assert.ok(attempts.length <= 240, `${attempts.length} tries for 200 calls`)
})

test('an aborted caller is not kept waiting for the next try', async () => {
  const clock = createManualClock()
  const caller = new AbortController()
  const { attempts, work } = failing('dependency_failed')
  const failed = assert.rejects(retry(options({ signal: caller.signal }), { clock, random: () => 0.9 }, work), {
    code: 'aborted',
  })
  await clock.advance(1)
  caller.abort(new SluiceError('aborted', 'gone'))
  await failed
  assert.deepEqual(attempts, [1])
  assert.deepEqual(clock.waiting, [])
})
