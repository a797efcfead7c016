// Runs terraform in a scratch copy of infra/terraform, against the stub of the provider.

import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run, type Ended } from '../program.ts'
import { readPlan, type Plan, type ShownPlan, type ShownState } from './plan.ts'
import type { ProviderStub } from './provider/provider-stub.ts'

export const environments = ['dev', 'prod'] as const

/** A copy of infra/terraform that may be written to, with state in files. */
export interface Scratch {
  readonly folder: string
  remove(): void
}

export function copyTerraform(root: string): Scratch {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-terraform-'))
  cpSync(join(root, 'infra', 'terraform'), folder, {
    recursive: true,
    filter: (path) => !/\.terraform(\.lock\.hcl)?$|\.tfstate/.test(path),
  })
  for (const name of environments) {
    const path = join(folder, 'environments', name)
    if (existsSync(path)) writeFileSync(join(path, 'backend_override.tf'), 'terraform {\n  backend "local" {}\n}\n')
  }
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) }
}

export const modulesIn = (folder: string): readonly string[] => readdirSync(join(folder, 'modules')).toSorted()

/** `terraform`, or `tofu`; undefined where neither is installed. */
export async function findTerraform(): Promise<string | undefined> {
  for (const program of ['terraform', 'tofu']) {
    const { code } = await run(process.cwd(), program, ['version'])
    if (code === 0) return program
  }
  return undefined
}

export interface TerraformDeps {
  readonly program: string
  readonly stub: ProviderStub
}

/** One terraform command. @throws Error with its output when it fails. */
export async function terraform(
  folder: string,
  args: readonly string[],
  { program, stub }: TerraformDeps,
): Promise<string> {
  const { code, output } = await tryTerraform(folder, args, { program, stub })
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${code}\n${output}`)
  return output
}

export const tryTerraform = (
  folder: string,
  args: readonly string[],
  { program, stub }: TerraformDeps,
): Promise<Ended> => run(folder, program, [...args, '-no-color'], stub.env)

export interface Applied {
  readonly plan: Plan
  /** What `terraform output -json` prints. */
  readonly outputs: Readonly<Record<string, { readonly value: unknown }>>
}

/** init, validate, plan, apply, output of an environment with the values of its example. */
export async function applyEnvironment(scratch: Scratch, name: string, deps: TerraformDeps): Promise<Applied> {
  const folder = join(scratch.folder, 'environments', name)
  await terraform(folder, ['init', '-input=false'], deps)
  await terraform(folder, ['validate'], deps)
  await terraform(folder, ['plan', '-input=false', '-var-file=terraform.tfvars.example', '-out=plan.bin'], deps)
  const plan = JSON.parse(await terraform(folder, ['show', '-json', 'plan.bin'], deps)) as ShownPlan
  await terraform(folder, ['apply', '-input=false', 'plan.bin'], deps)
  const state = JSON.parse(await terraform(folder, ['show', '-json'], deps)) as ShownState
  const outputs = JSON.parse(await terraform(folder, ['output', '-json'], deps)) as Applied['outputs']
  return { plan: readPlan(name, plan, state), outputs }
}
