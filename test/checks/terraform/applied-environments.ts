// The environments, each applied once for all checks that look at what came of it.

import { applyEnvironment, copyTerraform, type Applied, type Scratch, type TerraformDeps } from './terraform.ts'

export interface AppliedEnvironments {
  /** @throws StageError */
  of(name: string): Promise<Applied>
  remove(): void
}

export function appliedEnvironments(root: string, deps: TerraformDeps): AppliedEnvironments {
  const applied = new Map<string, Promise<Applied>>()
  const scratches: Scratch[] = []
  return {
    of: (name) => {
      const known = applied.get(name)
      if (known !== undefined) return known
      const scratch = copyTerraform(root)
      scratches.push(scratch)
      const fresh = applyEnvironment(scratch, name, deps)
      applied.set(name, fresh)
      return fresh
    },
    remove: () => {
      for (const scratch of scratches) scratch.remove()
    },
  }
}
