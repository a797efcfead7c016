import { serve } from '../../shared/function/index.ts'
import { createMemoryService } from './compose.ts'
import { memoryService } from './function.ts'

await serve(memoryService, { compose: createMemoryService })
