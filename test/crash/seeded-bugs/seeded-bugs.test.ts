// The checkers find every known mistake. That they find nothing where there is none is for scenarios.test.ts to show.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { breachesOf } from '../checkers/index.ts'
import { seededBugs } from './bugs.ts'
import { mutatedTree } from './mutated-tree.ts'
import { runScenario } from './scenario.ts'

test('there are twelve mistakes', () => assert.equal(seededBugs.length, 12))

for (const { mistake, patches, scenario, breaks } of seededBugs) {
  test(`found: ${mistake}`, { timeout: 120_000 }, async (t) => {
    const breaches = breachesOf(await runScenario(t, mutatedTree(t, patches), scenario))
    const found = breaks.some((invariant) => breaches.some((breach) => breach.startsWith(invariant)))
    assert.ok(found, `none of ${breaks.join(', ')} is found broken, but:\n${breaches.join('\n')}`)
  })
}
