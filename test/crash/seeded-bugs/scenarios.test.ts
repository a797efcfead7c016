// Each scenario of the seeded bugs breaks nothing on the code as it is, whatever dies in it.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { breachesOf } from '../checkers/index.ts'
import { scenarios } from './bugs.ts'
import { mutatedTree } from './mutated-tree.ts'
import { runScenario } from './scenario.ts'

for (const [name, scenario] of Object.entries(scenarios)) {
  test(`the code as it is breaks nothing: ${name}`, { timeout: 120_000 }, async (t) => {
    const history = await runScenario(t, mutatedTree(t, []), scenario)
    assert.ok(history.effects.length > 40, `only ${history.effects.length} effects`)
    assert.deepEqual(breachesOf(history), [])
  })
}
