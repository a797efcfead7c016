// Generated from schemas/events by shared/events/generate/main.ts. Change the schemas, not this file.
import type { CompiledSchema } from '../event-type.ts'

export const conversationActionRequested: CompiledSchema
export const conversationMessageReceived: CompiledSchema
export const conversationTurnCompleted: CompiledSchema
export const conversationTurnFailed: CompiledSchema
export const conversationTurnProgressed: CompiledSchema
export const conversationTurnStarted: CompiledSchema
export const memoryRecordWritten: CompiledSchema
export const toolCallFinished: CompiledSchema
export const toolCallRequested: CompiledSchema
