// The checks of the Terraform code, all offline: what each command and each rule found in how much.

import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import type { Check, Findings } from '../check.ts'
import { breaches, type Breach } from './breaches.ts'
import { finderOf, findBreach } from './find-breach.ts'
import { environmentsDiffer, formatOf, rulesBroken, testModule } from './findings.ts'
import type { AppliedEnvironments } from './applied-environments.ts'
import { judgeNeeds } from './needs-change.ts'
import { environments, modulesIn, withScratch, type TerraformDeps } from './terraform.ts'
import { judgeBridge } from './values-bridge.ts'

export const terraformChecks = (deps: TerraformDeps, applied: AppliedEnvironments): readonly Check[] => [
  format(deps),
  environmentsAlike,
  ...environments.map((name) => environment(name, applied)),
  ...environments.map((name) => bridge(name, applied)),
  needs(deps),
  moduleTests(deps),
]

const folderOf = (root: string): string => join(root, 'infra', 'terraform')

const format = (deps: TerraformDeps): Check => ({
  name: 'fmt',
  what: 'files',
  least: 40,
  run: (root) => formatOf(folderOf(root), deps),
})

const environmentsAlike: Check = {
  name: 'environments differ in settings only',
  what: 'files',
  least: 10,
  run: (root) => Promise.resolve(environmentsDiffer(folderOf(root))),
}

/** validate, plan, apply and output against the schema; then the rules over what came of it. */
const environment = (name: string, applied: AppliedEnvironments): Check => ({
  name: `${name}: schema and rules`,
  what: 'resources',
  least: 60,
  run: async () => {
    const { plan } = await applied.of(name)
    const broken = rulesBroken(plan)
    const lines = broken.flatMap((rule) => rule.breaches.map((breach) => `${rule.name}: ${breach}`))
    return { passed: broken.length === 0, read: plan.resources.length, output: lines.join('\n') }
  },
})

/** Outputs become values, values manifests, and doctor finds no error; each output that is wrong is named. */
const bridge = (name: string, applied: AppliedEnvironments): Check => ({
  name: `${name}: outputs become the chart's values`,
  what: 'manifests',
  least: 60,
  run: async (root) => judgeBridge(root, (await applied.of(name)).outputs),
})

const needs = (deps: TerraformDeps): Check => ({
  name: 'a changed need changes one function',
  what: 'changes',
  least: 3,
  run: (root) => withScratch(root, (scratch) => judgeNeeds(scratch, deps)),
})

/** `terraform test` in each module: what its validation refuses, and what it makes of its variables. */
const moduleTests = (deps: TerraformDeps): Check => ({
  name: 'tests of the modules',
  what: 'runs',
  least: 30,
  run: (root) =>
    withScratch(root, async (scratch) => {
      const results: Findings[] = []
      for (const name of modulesIn(scratch)) results.push(await testModule(join(scratch, 'modules', name), deps))
      return {
        passed: results.every(({ passed }) => passed),
        read: results.reduce((sum, { read }) => sum + read, 0),
        output: results.flatMap(({ passed, output }) => (passed ? [] : [output])).join('\n'),
      }
    }),
})

/** Every planted mistake is found by whom it should be found, a few at a time. */
export const breachCheck = (deps: TerraformDeps): Check => ({
  name: 'planted breaches are found',
  what: 'breaches',
  least: 25,
  run: async (root) => {
    const missed: string[] = []
    const waiting = [...breaches]
    const work = async (): Promise<void> => {
      for (let breach = waiting.shift(); breach !== undefined; breach = waiting.shift()) {
        const miss = await missOf(root, breach, deps)
        if (miss !== undefined) missed.push(miss)
      }
    }
    await Promise.all(Array.from({ length: availableParallelism() }, work))
    return { passed: missed.length === 0, read: breaches.length, output: missed.join('\n\n') }
  },
})

/** Undefined when it was found as it should be. */
async function missOf(root: string, breach: Breach, deps: TerraformDeps): Promise<string | undefined> {
  const { by, output } = await findBreach(root, breach, deps)
  const unfolded = output.replaceAll(/\s+/g, ' ') // terraform folds its lines
  if (by === finderOf(breach) && breach.says.test(unfolded)) return undefined
  return `${breach.name}: to be found by ${finderOf(breach)} (${breach.says.source}), found by ${by}\n${output}`
}
