import { serve } from '../../shared/function/index.ts'
import { createConversationWorker } from './compose.ts'
import { conversationWorker } from './function.ts'

await serve(conversationWorker, { compose: createConversationWorker })
