import { serve } from '../../shared/function/index.ts'
import { createMemorySync } from './compose.ts'
import { memorySync } from './function.ts'

await serve(memorySync, { compose: createMemorySync })
