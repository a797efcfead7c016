// Generated from schemas/events by shared/events/generate/main.ts. Change the schemas, not this file.
import { createEventType, type EventType } from '../event-type.ts'
import type * as types from './types.ts'
import * as validators from './validators.js'

export const conversationActionRequested: EventType<'conversation.action.requested.v1', types.ConversationActionRequested> = createEventType('conversation.action.requested.v1', validators.conversationActionRequested)
export const conversationMessageReceived: EventType<'conversation.message.received.v1', types.ConversationMessageReceived> = createEventType('conversation.message.received.v1', validators.conversationMessageReceived)
export const conversationTurnCompleted: EventType<'conversation.turn.completed.v1', types.ConversationTurnCompleted> = createEventType('conversation.turn.completed.v1', validators.conversationTurnCompleted)
export const conversationTurnFailed: EventType<'conversation.turn.failed.v1', types.ConversationTurnFailed> = createEventType('conversation.turn.failed.v1', validators.conversationTurnFailed)
export const conversationTurnProgressed: EventType<'conversation.turn.progressed.v1', types.ConversationTurnProgressed> = createEventType('conversation.turn.progressed.v1', validators.conversationTurnProgressed)
export const conversationTurnStarted: EventType<'conversation.turn.started.v1', types.ConversationTurnStarted> = createEventType('conversation.turn.started.v1', validators.conversationTurnStarted)
export const memoryRecordWritten: EventType<'memory.record.written.v1', types.MemoryRecordWritten> = createEventType('memory.record.written.v1', validators.memoryRecordWritten)
export const toolCallFinished: EventType<'tool.call.finished.v1', types.ToolCallFinished> = createEventType('tool.call.finished.v1', validators.toolCallFinished)
export const toolCallRequested: EventType<'tool.call.requested.v1', types.ToolCallRequested> = createEventType('tool.call.requested.v1', validators.toolCallRequested)

/** Every event type there is. */
export const eventTypes: readonly EventType[] = [
  conversationActionRequested,
  conversationMessageReceived,
  conversationTurnCompleted,
  conversationTurnFailed,
  conversationTurnProgressed,
  conversationTurnStarted,
  memoryRecordWritten,
  toolCallFinished,
  toolCallRequested,
]
