import { serve } from '../../shared/function/index.ts'
import { createMemoryReplicator } from './compose.ts'
import { memoryReplicator } from './function.ts'

await serve(memoryReplicator, { compose: createMemoryReplicator })
