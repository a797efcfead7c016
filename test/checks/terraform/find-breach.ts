// Plants a mistake in a copy of the Terraform code and asks who finds it.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { SluiceError } from '../../../shared/errors/index.ts'
import type { Breach } from './breaches.ts'
import { environmentsDiffer, formatOf, rulesBroken, testModule } from './findings.ts'
import { judgeNeeds } from './needs-change.ts'
import { applyEnvironment, StageError, withScratch, type TerraformDeps } from './terraform.ts'
import { judgeBridge } from './values-bridge.ts'

export interface Found {
  /** As `foundBy` names it; "nobody" when the mistake passed. */
  readonly by: string
  readonly output: string
}

export const finderOf = ({ foundBy }: Breach): string => (typeof foundBy === 'string' ? foundBy : foundBy.rule)

/** @throws Error when the text to change is no longer in the file: the breach must be written anew. */
export const findBreach = (root: string, breach: Breach, deps: TerraformDeps): Promise<Found> =>
  withScratch(root, async (scratch) => {
    const path = join(scratch, breach.file)
    const text = readFileSync(path, 'utf8')
    if (!text.includes(breach.from)) throw new Error(`${breach.file} has no longer ${breach.from}`)
    writeFileSync(path, text.replace(breach.from, breach.to))
    return firstFinding({ root, scratch }, breach, deps)
  })

interface Places {
  readonly root: string
  readonly scratch: string
}

async function firstFinding(
  { root, scratch }: Places,
  { foundBy, file, environment = 'dev' }: Breach,
  deps: TerraformDeps,
): Promise<Found> {
  if (foundBy === 'fmt') return named('fmt', await formatOf(scratch, deps))
  if (foundBy === 'environments') return named('environments', environmentsDiffer(scratch))
  if (foundBy === 'test') return named('test', await testModule(join(scratch, file, '..'), deps))
  if (foundBy === 'needs') return named('needs', await judgeNeeds(scratch, deps))
  try {
    const { plan, outputs } = await applyEnvironment(scratch, environment, deps)
    if (foundBy === 'values') return named('values', await judgeBridge(root, outputs))
    const broken = rulesBroken(plan)
    const rule = typeof foundBy === 'string' ? undefined : broken.find(({ name }) => name === foundBy.rule)
    const first = rule ?? broken[0]
    return { by: first?.name ?? 'nobody', output: (first?.breaches ?? []).join('\n') }
  } catch (error) {
    if (error instanceof StageError) return { by: error.stage, output: error.message }
    if (error instanceof SluiceError) return { by: 'values', output: error.message }
    throw error
  }
}

const named = (by: string, { passed, output }: { readonly passed: boolean; readonly output: string }): Found =>
  passed ? { by: 'nobody', output: '' } : { by, output }
