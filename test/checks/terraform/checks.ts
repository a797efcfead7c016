// The checks of the Terraform code, all offline: what each command and each rule found in how much.

import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Check, Findings } from '../check.ts'
import { run } from '../program.ts'
import { rules } from './rules/index.ts'
import { applyEnvironment, copyTerraform, environments, modulesIn, terraform, type TerraformDeps } from './terraform.ts'

export function terraformChecks(deps: TerraformDeps): readonly Check[] {
  return [format(deps), environmentsAlike, ...environments.map((name) => environment(name, deps)), moduleTests(deps)]
}

const filesOf = (root: string): readonly string[] =>
  readdirSync(join(root, 'infra', 'terraform'), { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\.(tf|tfvars|hcl)$/.test(name),
  )

const format = ({ program, stub }: TerraformDeps): Check => ({
  name: 'fmt',
  what: 'files',
  least: 40,
  run: async (root) => {
    const args = ['fmt', '-check', '-diff', '-recursive', join('infra', 'terraform')]
    const { code, output } = await run(root, program, args, stub.env)
    return { passed: code === 0, read: filesOf(root).length, output }
  },
})

/** What differs between environments stands in settings.tf (and in the example of the values that are asked for). */
const mayDiffer = new Set(['settings.tf', 'terraform.tfvars.example'])

const environmentsAlike: Check = {
  name: 'environments differ in settings only',
  what: 'files',
  least: 10,
  run: (root) => {
    const read = (name: string): ReadonlyMap<string, string> => {
      const folder = join(root, 'infra', 'terraform', 'environments', name)
      const names = readdirSync(folder).filter((file) => /\.(tf|example)$/.test(file))
      return new Map(names.map((file) => [file, readFileSync(join(folder, file), 'utf8')]))
    }
    const [first, second] = environments.map(read)
    if (first === undefined || second === undefined) throw new Error('two environments are compared')
    const names = new Set([...first.keys(), ...second.keys()])
    const different = [...names].filter((name) =>
      mayDiffer.has(name) ? !first.has(name) || !second.has(name) : first.get(name) !== second.get(name),
    )
    return Promise.resolve({
      passed: different.length === 0,
      read: first.size + second.size,
      output: different.map((name) => `${name} is not the same in ${environments.join(' and ')}`).join('\n'),
    })
  },
}

/** validate, plan, apply and output against the schema; then the rules over what came of it. */
const environment = (name: string, deps: TerraformDeps): Check => ({
  name: `${name}: schema and rules`,
  what: 'resources',
  least: 60,
  run: async (root) => {
    const scratch = copyTerraform(root)
    try {
      const { plan } = await applyEnvironment(scratch, name, deps)
      const breaches = rules.flatMap((rule) => rule.breaches(plan).map((breach) => `${rule.name}: ${breach}`))
      return { passed: breaches.length === 0, read: plan.resources.length, output: breaches.join('\n') }
    } finally {
      scratch.remove()
    }
  },
})

/** `terraform test` in each module: what its validation refuses, and what it makes of its variables. */
const moduleTests = (deps: TerraformDeps): Check => ({
  name: 'tests of the modules',
  what: 'runs',
  least: 8,
  run: async (root) => {
    const scratch = copyTerraform(root)
    try {
      const results: Findings[] = []
      for (const name of modulesIn(scratch.folder)) {
        const folder = join(scratch.folder, 'modules', name)
        await terraform(folder, ['init', '-input=false'], deps)
        const { code, output } = await run(folder, deps.program, ['test', '-no-color'], deps.stub.env)
        const runs = Number(/(\d+) passed/.exec(output)?.[1] ?? 0)
        results.push({ passed: code === 0 && runs > 0, read: runs, output: `${name}: ${output}` })
      }
      return {
        passed: results.every(({ passed }) => passed),
        read: results.reduce((sum, { read }) => sum + read, 0),
        output: results.flatMap(({ passed, output }) => (passed ? [] : [output])).join('\n'),
      }
    } finally {
      scratch.remove()
    }
  },
})
