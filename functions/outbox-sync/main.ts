import { serve } from '../../shared/function/index.ts'
import { createOutboxSync } from './compose.ts'
import { outboxSync } from './function.ts'

await serve(outboxSync, { compose: createOutboxSync })
