import { serve } from '../../shared/function/index.ts'
import { createDeadLetterIntake } from './compose.ts'
import { deadLetterIntake } from './function.ts'

await serve(deadLetterIntake, { compose: createDeadLetterIntake })
