import { serve } from '../../shared/function/index.ts'
import { createToolExecutor } from './compose.ts'
import { toolExecutor } from './function.ts'

await serve(toolExecutor, { compose: createToolExecutor })
