// Every event function, registered with Google's Functions Framework under its name: what `functions-framework --target=…`
// loads. The one place that imports every function; in production each runs by its own main.ts.

import { registerFunction } from '../shared/function/index.ts'
import { createConversationWorker } from './conversation-worker/compose.ts'
import { conversationWorker } from './conversation-worker/function.ts'
import { createMemoryReplicator } from './memory-replicator/compose.ts'
import { memoryReplicator } from './memory-replicator/function.ts'
import { createDeadLetterIntake } from './dead-letter-intake/compose.ts'
import { deadLetterIntake } from './dead-letter-intake/function.ts'
import { createToolExecutor } from './tool-executor/compose.ts'
import { toolExecutor } from './tool-executor/function.ts'

await registerFunction(conversationWorker, { compose: createConversationWorker })
await registerFunction(memoryReplicator, { compose: createMemoryReplicator })
await registerFunction(deadLetterIntake, { compose: createDeadLetterIntake })
await registerFunction(toolExecutor, { compose: createToolExecutor })
