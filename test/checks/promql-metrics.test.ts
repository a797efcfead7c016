import assert from 'node:assert/strict'
import { test } from 'node:test'
import { metricsIn } from './promql-metrics.ts'

test('names are found, and nothing else is taken for one', () => {
  const found = (expression: string) => metricsIn(expression).toSorted()
  assert.deepEqual(found('time() - max(a_timestamp{function="not_this"}) > 900'), ['a_timestamp'])
  assert.deepEqual(
    found(
      'histogram_quantile(0.95, sum by (le, function) (rate(a_seconds_bucket{x=~"$x",y!="or_that"}[$__rate_interval])))',
    ),
    ['a_seconds_bucket'],
  )
  assert.deepEqual(found('sum(rate(a_total[5m] offset 1h)) / on (b) group_left (c) sum by (b) (d_total) > 1e3 or e'), [
    'a_total',
    'd_total',
    'e',
  ])
  assert.deepEqual(found('up{job="sluice"} == 0 unless a:b:c'), ['a:b:c', 'up'])
})
