// Runs terraform in a scratch copy of infra/terraform, against the stub of the provider.

import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run, type Ended } from '../program.ts'
import { readPlan, type Plan, type ShownPlan, type ShownState } from './plan.ts'
import type { ProviderStub } from './provider/provider-stub.ts'

export const environments = ['dev', 'prod'] as const

/** Hands a copy of infra/terraform to `work` that it may write to, with state in files, and removes it afterwards. */
export async function withScratch<Result>(root: string, work: (folder: string) => Promise<Result>): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-terraform-'))
  try {
    copyTerraform(root, folder)
    return await work(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function copyTerraform(root: string, folder: string): void {
  cpSync(join(root, 'infra', 'terraform'), folder, {
    recursive: true,
    filter: (path) => !/\.terraform(\.lock\.hcl)?$|\.tfstate/.test(path),
  })
  for (const name of environments) {
    const path = join(folder, 'environments', name)
    if (existsSync(path)) writeFileSync(join(path, 'backend_override.tf'), 'terraform {\n  backend "local" {}\n}\n')
  }
}

export const modulesIn = (folder: string): readonly string[] => readdirSync(join(folder, 'modules')).toSorted()

/** `terraform`, or `tofu`; undefined where neither is installed. */
export async function findTerraform(): Promise<string | undefined> {
  for (const program of ['terraform', 'tofu']) {
    const { code } = await run({ cwd: process.cwd(), file: program, args: ['version'] })
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
): Promise<Ended> => run({ cwd: folder, file: program, args: [...args, '-no-color'], env: stub.env })

export interface Applied {
  readonly plan: Plan
  /** What `terraform output -json` prints. */
  readonly outputs: Readonly<Record<string, { readonly value: unknown }>>
}

/** Where a chain of commands ended: an environment that is right passes all. */
export type Stage = 'init' | 'validate' | 'plan' | 'apply'

/** What failed, with what terraform said of it. */
export class StageError extends Error {
  readonly stage: Stage

  constructor(stage: Stage, output: string) {
    super(`terraform ${stage} failed\n${output}`)
    this.stage = stage
  }
}

/** init, validate, plan, apply, output of an environment with the values of its example. @throws StageError */
export async function applyEnvironment(scratch: string, name: string, deps: TerraformDeps): Promise<Applied> {
  const folder = join(scratch, 'environments', name)
  const stage = async (called: Stage, args: readonly string[]): Promise<void> => {
    const { code, output } = await tryTerraform(folder, args, deps)
    if (code !== 0) throw new StageError(called, output)
  }
  await stage('init', ['init', '-input=false'])
  await stage('validate', ['validate'])
  await stage('plan', ['plan', '-input=false', '-var-file=terraform.tfvars.example', '-out=plan.bin'])
  await stage('apply', ['apply', '-input=false', 'plan.bin'])
  const show = async (args: readonly string[]): Promise<unknown> => JSON.parse(await terraform(folder, args, deps))
  const plan = (await show(['show', '-json', 'plan.bin'])) as ShownPlan
  const state = (await show(['show', '-json'])) as ShownState
  const outputs = (await show(['output', '-json'])) as Applied['outputs']
  return { plan: readPlan(name, plan, state), outputs }
}
