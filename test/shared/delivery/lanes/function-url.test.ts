import assert from 'node:assert/strict'
import { test } from 'node:test'
import { functionUrlsOf } from '../../../../shared/delivery/index.ts'

test('a function is reached at its own URL, else where the template says', () => {
  const url = functionUrlsOf({
    functionUrls: new Map([['gateway', 'http://127.0.0.1:9000']]),
    functionUrlTemplate: 'http://{function}.ns.svc.cluster.local/{function}',
  })
  assert.equal(url('gateway'), 'http://127.0.0.1:9000')
  assert.equal(url('tool-executor'), 'http://tool-executor.ns.svc.cluster.local/tool-executor')
})
