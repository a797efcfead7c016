import assert from 'node:assert/strict'
import { test } from 'node:test'
import { proveFunction } from '../../cli/knative/prove-function.ts'
import { renderProofs } from '../../cli/render-view.ts'
import { memoryReplicator } from '../../functions/memory-replicator/function.ts'
import { memorySync } from '../../functions/memory-sync/function.ts'

test('each function is shown with its sources, its Service and every number that was proven', () => {
  const shown = renderProofs(
    [memoryReplicator, memorySync].map((definition) => ({ definition, proven: proveFunction(definition) })),
  )
  assert.equal(
    shown,
    `memory-replicator  transaction, ordered by key, 1 to 20 instances
  memory-replicator-memory-wal
    ✔ acceptance 29 s < delivery timeout 30 s
    ✔ retry window 1 h 30 s (120 retries) ≥ outage budget 1 h
    ✔ worst head-of-line block 4 h 2 min < topic retention 7 d
    ✔ oldest event 7 d 4 h 2 min < memory of the inbox 14 d
  memory-replicator
    ✔ longest run 29 s < caller's patience 9 min 50 s < revision timeout 10 min
    ✔ longest silence 29 s < response start timeout 10 min
    ✔ no idle timeout
    ✔ drain 30 s + 20 s = 50 s < termination grace 10 min

memory-sync  scheduled * * * * *, 0 to 5 instances
  memory-sync
    ✔ longest run 1 min < revision timeout 1 min 30 s
    ✔ longest silence 1 min < response start timeout 1 min 30 s
    ✔ no idle timeout
    ✔ drain 30 s + 20 s = 50 s < termination grace 1 min 30 s`,
  )
})
