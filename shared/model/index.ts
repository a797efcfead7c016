export { type ModelAnswer } from './answer-builder.ts'
export { createModelClient, type ModelClient } from './model-client.ts'
export { type ModelMessage, type ModelRequest, type ToolCall } from './model-request.ts'
export { type ModelUsage } from './chat-chunk.ts'
