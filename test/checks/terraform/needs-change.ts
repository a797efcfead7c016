// Changing what a function needs changes its own policy and its own rules, and nothing of anybody else: terraform's own plan says so,
// after an apply, with one function changed in the generated file.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Findings } from '../check.ts'
import { applyEnvironment, terraform, type TerraformDeps } from './terraform.ts'

interface NeedsChange {
  readonly name: string
  readonly function: string
  readonly needs: (before: readonly string[]) => readonly string[]
  /** Addresses below module.access, each with what happens to it. */
  readonly expected: readonly string[]
}

const policy = (name: string): string => `aws_iam_role_policy.function["${name}"]`
const rule = (name: string, need: string): string => `aws_vpc_security_group_ingress_rule.dependency["${name}/${need}"]`

const changes: readonly NeedsChange[] = [
  {
    name: 'nothing changes',
    function: 'gateway',
    needs: (before) => before,
    expected: [],
  },
  {
    name: 'one need more',
    function: 'memory-sync',
    needs: (before) => [...before, 'redis'],
    expected: [`${policy('memory-sync')} update`, `${rule('memory-sync', 'redis')} create`],
  },
  {
    name: 'one need less',
    function: 'gateway',
    needs: (before) => before.filter((need) => need !== 'redis'),
    expected: [`${policy('gateway')} update`, `${rule('gateway', 'redis')} delete`],
  },
  {
    name: 'a need outside the network',
    function: 'memory-replicator',
    needs: (before) => [...before, 'model'],
    expected: [`${policy('memory-replicator')} update`],
  },
  {
    name: 'no need left',
    function: 'dead-letter-intake',
    needs: () => [],
    expected: [`${policy('dead-letter-intake')} delete`, `${rule('dead-letter-intake', 'postgres')} delete`],
  },
]

export async function judgeNeeds(scratch: string, deps: TerraformDeps): Promise<Findings> {
  await applyEnvironment(scratch, 'dev', deps)
  const faults: string[] = []
  for (const change of changes) {
    const found = await changedBy(change, scratch, deps)
    const expected = change.expected.map((line) => `module.access.${line}`).toSorted()
    if (found.join() !== expected.join())
      faults.push(`${change.name} (${change.function}): expected ${lines(expected)}, and the plan has ${lines(found)}`)
  }
  return { passed: faults.length === 0, read: changes.length, output: faults.join('\n') }
}

const lines = (list: readonly string[]): string => (list.length === 0 ? 'nothing' : `\n  ${list.join('\n  ')}\n`)

interface Generated {
  readonly functions: Readonly<Record<string, { readonly needs: readonly string[] }>>
}

interface ChangesOfPlan {
  readonly resource_changes?: readonly {
    readonly address: string
    readonly mode: string
    readonly change: { readonly actions: readonly string[] }
  }[]
}

async function changedBy(
  { function: name, needs }: NeedsChange,
  scratch: string,
  deps: TerraformDeps,
): Promise<readonly string[]> {
  const file = join(scratch, 'generated', 'functions.auto.tfvars.json')
  const before = readFileSync(file, 'utf8')
  const { functions } = JSON.parse(before) as Generated
  const changed = functions[name]
  if (changed === undefined)
    throw new Error(`there is no function ${name} any more: needs-change.ts must be written anew`)
  writeFileSync(
    file,
    JSON.stringify({ functions: { ...functions, [name]: { ...changed, needs: needs(changed.needs) } } }),
  )
  try {
    const environment = join(scratch, 'environments', 'dev')
    await terraform(
      environment,
      ['plan', '-input=false', '-var-file=terraform.tfvars.example', '-out=changed.bin'],
      deps,
    )
    const plan = JSON.parse(await terraform(environment, ['show', '-json', 'changed.bin'], deps)) as ChangesOfPlan
    return (plan.resource_changes ?? [])
      .filter(({ mode, change }) => mode === 'managed' && change.actions.join() !== 'no-op')
      .map(({ address, change }) => `${address} ${change.actions.join('-')}`)
      .toSorted()
  } finally {
    writeFileSync(file, before)
  }
}
