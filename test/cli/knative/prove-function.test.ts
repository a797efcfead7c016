import assert from 'node:assert/strict'
import { test } from 'node:test'
import { proveFunction, refuseUnproven } from '../../../cli/knative/prove-function.ts'
import { conversationWorker } from '../../../functions/conversation-worker/function.ts'
import { gateway } from '../../../functions/gateway/function.ts'
import { memoryReplicator } from '../../../functions/memory-replicator/function.ts'
import { outboxSync } from '../../../functions/outbox-sync/function.ts'
import { SluiceError } from '../../../shared/errors/index.ts'
import type { AnyFunction } from '../../../shared/function/index.ts'

const isProven = (definition: AnyFunction): void => refuseUnproven(definition, proveFunction(definition))

const isRefused = (definition: AnyFunction, pattern: RegExp): void =>
  assert.throws(
    () => isProven(definition),
    (error) => error instanceof SluiceError && error.code === 'budget_violated' && pattern.test(error.message),
  )

test('a function of each kind holds its budgets', () => {
  for (const definition of [conversationWorker, memoryReplicator, outboxSync, gateway]) isProven(definition)
})

test('each source is proven and then the Service, by the numbers that are really in force', () => {
  const proven = proveFunction(conversationWorker)
  assert.deepEqual(
    proven.map(({ resource }) => resource),
    ['conversation-worker-conversation-inbound', 'conversation-worker-tool-results', 'conversation-worker'],
  )
  const claims = proven.flatMap(({ proofs }) => proofs.map(({ claim }) => claim))
  assert.ok(claims.includes('acceptance 29 s < delivery timeout 30 s'), claims.join('\n'))
  assert.ok(claims.includes("longest run 5 min 49 s < caller's patience 9 min 50 s < revision timeout 10 min"))
})

test('a handler that a source would not wait for is refused, with the remedy', () => {
  const { delivery, source } = memoryReplicator
  isProven({ ...memoryReplicator, delivery: { ...delivery, timeoutMs: 10_999 } })
  isRefused({ ...memoryReplicator, delivery: { ...delivery, timeoutMs: 11_000 } }, /memory-replicator-memory-wal: not acceptance 30 s < delivery timeout 30 s; raise source\.timeoutMs/) // prettier-ignore
  isRefused({ ...memoryReplicator, source: { ...source, timeoutMs: 29_000 } }, /delivery timeout 29 s/)
})

test('an outage that would block a partition beyond the retention of its topic is refused', () => {
  const { source } = memoryReplicator
  isRefused({ ...memoryReplicator, source: { ...source, outageMs: 4 * 86_400_000 } }, /not worst head-of-line block .* < topic retention 7 d/) // prettier-ignore
})

test('a stream that Knative would cut is refused', () => {
  isRefused({ ...gateway, stream: { longestMs: 600_000, heartbeatMs: 15_000 } }, /gateway: not longest run 10 min < revision timeout 10 min/) // prettier-ignore
})
