// What each command, comparison and rule says of a folder of Terraform code.

import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Findings } from '../check.ts'
import { run } from '../program.ts'
import type { Plan } from './plan.ts'
import { rules } from './rules/index.ts'
import { environments, terraform, type TerraformDeps } from './terraform.ts'

export async function formatOf(folder: string, { program, stub }: TerraformDeps): Promise<Findings> {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => /\.(tf|hcl)$/.test(name))
  const { code, output } = await run({
    cwd: folder,
    file: program,
    args: ['fmt', '-check', '-diff', '-recursive'],
    env: stub.env,
  })
  return { passed: code === 0, read: files.length, output }
}

/** What differs between environments stands in settings.tf, and in the example of the values that are asked for. */
const mayDiffer = new Set(['settings.tf', 'terraform.tfvars.example'])

export function environmentsDiffer(terraformFolder: string): Findings {
  const [first, second] = environments.map((name) => {
    const folder = join(terraformFolder, 'environments', name)
    const names = readdirSync(folder).filter((file) => /^(?!backend_override).*\.(tf|example)$/.test(file))
    return new Map(names.map((file) => [file, readFileSync(join(folder, file), 'utf8')]))
  })
  if (first === undefined || second === undefined) throw new Error('two environments are compared')
  const names = [...new Set([...first.keys(), ...second.keys()])]
  const different = names.filter((name) =>
    mayDiffer.has(name) ? !first.has(name) || !second.has(name) : first.get(name) !== second.get(name),
  )
  return {
    passed: different.length === 0,
    read: first.size + second.size,
    output: different.map((name) => `${name} is not the same in ${environments.join(' and ')}`).join('\n'),
  }
}

export const rulesBroken = (plan: Plan): readonly { readonly name: string; readonly breaches: readonly string[] }[] =>
  rules.map((rule) => ({ name: rule.name, breaches: rule.breaches(plan) })).filter((rule) => rule.breaches.length > 0)

export async function testModule(folder: string, deps: TerraformDeps): Promise<Findings> {
  await terraform(folder, ['init', '-input=false'], deps)
  const { code, output } = await run({
    cwd: folder,
    file: deps.program,
    args: ['test', '-no-color'],
    env: deps.stub.env,
  })
  const runs = Number(/(\d+) passed/.exec(output)?.[1] ?? 0)
  return { passed: code === 0 && runs > 0, read: runs, output: `${folder}: ${output}` }
}
