// What a rule is: a sentence that must hold for each environment, and the resources for which it does not.

import type { Plan } from '../plan.ts'

export interface Rule {
  /** What must hold. */
  readonly name: string
  /** One line for each breach, beginning with the address of the resource. */
  breaches(plan: Plan): readonly string[]
}
