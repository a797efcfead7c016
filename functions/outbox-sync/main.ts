import { serve } from '../../shared/function/index.ts'
import { outboxSync } from './function.ts'
import { createOutboxSync } from './handler.ts'

await serve(outboxSync, { compose: createOutboxSync })
