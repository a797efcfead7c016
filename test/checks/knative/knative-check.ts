// A check of `npm run check:knative`: one of check.ts that may also say why it cannot run here. What cannot run is named, never passed.

import { judge, type Check, type Findings, type Verdict } from '../check.ts'

export interface Skipped {
  readonly skipped: string
}

export const isSkipped = (value: unknown): value is Skipped =>
  typeof value === 'object' && value !== null && 'skipped' in value

export interface KnativeCheck extends Omit<Check, 'run'> {
  run(root: string): Promise<Findings | Skipped>
}

export async function judgeOrSkip(check: KnativeCheck, root: string): Promise<Verdict | Skipped> {
  let skipped: Skipped | undefined
  const run = async (at: string): Promise<Findings> => {
    const found = await check.run(at)
    if (!isSkipped(found)) return found
    skipped = found
    return { passed: false, read: 0, output: '' }
  }
  const verdict = await judge({ ...check, run }, root)
  return skipped ?? verdict
}
