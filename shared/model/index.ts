export { type ModelAnswer, type TextDelta } from './answer-builder.ts'
export {
  createModelClient,
  type CompleteOptions,
  type ModelClient,
  type ModelClientDeps,
  type ModelClientOptions,
} from './model-client.ts'
export { type ModelTimeouts } from './model-attempt.ts'
export { type ModelMessage, type ModelRequest, type ToolCall, type ToolDeclaration } from './model-request.ts'
export { type ModelUsage } from './chat-chunk.ts'
