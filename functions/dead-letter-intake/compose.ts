// Puts dead-letter-intake together from what serve() gives.

import type { Handler, Resources } from '../../shared/function/index.ts'
import type { deadLetterIntake } from './function.ts'
import { functionsAt } from './function-at.ts'
import { createHandler } from './handler.ts'

export const createDeadLetterIntake = ({
  config,
}: Resources<typeof deadLetterIntake>): { readonly handler: Handler<typeof deadLetterIntake> } => ({
  handler: createHandler({ functionAt: functionsAt(config) }),
})
