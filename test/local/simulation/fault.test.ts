import assert from 'node:assert/strict'
import { test } from 'node:test'
import { millisecondsOf, parseFault } from '../../../local/simulation/index.ts'

const always = { fromMs: 0, toMs: Number.POSITIVE_INFINITY }

test('a fault is a name, perhaps a value, perhaps a time', () => {
  assert.deepEqual(parseFault('503@10s..40s'), {
    kind: 'status',
    status: 503,
    window: { fromMs: 10_000, toMs: 40_000 },
  })
  assert.deepEqual(parseFault('slow=2s'), { kind: 'slow', ms: 2_000, window: always })
  assert.deepEqual(parseFault('fail=0.2@1.5m..1h'), {
    kind: 'fail',
    share: 0.2,
    window: { fromMs: 90_000, toMs: 3_600_000 },
  })
  assert.deepEqual(parseFault('poison=s-1'), { kind: 'poison', value: 's-1', window: always })
  assert.deepEqual(parseFault('lost-answer=1'), { kind: 'lost-answer', share: 1, window: always })
})

test('what dies comes back: the function after 3 s, a dispatcher after 10 s, or when it is said', () => {
  assert.deepEqual(parseFault('kill@15s').window, { fromMs: 15_000, toMs: 18_000 })
  assert.deepEqual(parseFault('kill@15s..1m').window, { fromMs: 15_000, toMs: 60_000 })
  assert.deepEqual(parseFault('source-kill@250ms').window, { fromMs: 250, toMs: 10_250 })
  assert.deepEqual(parseFault('source-term@2.5s').window, { fromMs: 2_500, toMs: 12_500 })
})

test('anything else is refused by name, with what is expected', () => {
  const wrong = [
    '',
    'kill',
    'slow',
    'slow=2',
    'fail=2',
    'fail=',
    'poison',
    '99',
    '700',
    '503@10',
    '503@40s..10s',
    'explode@1s',
    'kill=1@1s',
  ]
  for (const text of wrong)
    assert.throws(() => parseFault(text), { code: 'invalid_option', message: new RegExp(`--fault ${text}: `) }, text)
})

test('times have a unit', () => {
  assert.deepEqual(
    ['250ms', '2s', '1.5m', '1h'].map((text) => millisecondsOf(text)),
    [250, 2_000, 90_000, 3_600_000],
  )
})
