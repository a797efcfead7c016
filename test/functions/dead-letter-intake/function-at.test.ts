import assert from 'node:assert/strict'
import { test } from 'node:test'
import { functionsAt } from '../../../functions/dead-letter-intake/function-at.ts'

test('a function is found by its own address before the template’s, whatever the path', () => {
  const functionUrls = new Map([['tool-executor', 'http://127.0.0.1:8081']])
  const at = functionsAt({ functionUrls, functionUrlTemplate: 'http://{function}.agents.svc.cluster.local' })
  assert.equal(at('http://127.0.0.1:8081/'), 'tool-executor')
  assert.equal(at('http://127.0.0.1:8081'), 'tool-executor')
  assert.equal(at('http://127.0.0.1:8082/'), undefined)
  assert.equal(at('http://conversation-worker.agents.svc.cluster.local/x'), 'conversation-worker')
  assert.equal(at('http://conversation-worker.other.svc.cluster.local/'), undefined)
  assert.equal(at('http://a.b.agents.svc.cluster.local/'), undefined)
  assert.equal(at('http://xagentsxsvcxclusterxlocal/'), undefined)
  assert.equal(at('nonsense'), undefined)
})
