// The environments, each applied once for all checks that look at what came of it.

import { applyEnvironment, withScratch, type Applied, type TerraformDeps } from './terraform.ts'

export interface AppliedEnvironments {
  /** @throws StageError */
  of(name: string): Promise<Applied>
}

export function appliedEnvironments(root: string, deps: TerraformDeps): AppliedEnvironments {
  const applied = new Map<string, Promise<Applied>>()
  return {
    of: (name) => {
      const known = applied.get(name)
      if (known !== undefined) return known
      const fresh = withScratch(root, (scratch) => applyEnvironment(scratch, name, deps))
      applied.set(name, fresh)
      return fresh
    },
  }
}
