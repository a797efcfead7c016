export type { CloudEvent } from './cloud-event.ts'
export type { EventType } from './event-type.ts'
export { allTopics, deadLetterTopicOf, topicOf, topicOfType, topics, type Topic } from './topics.ts'
export {
  conversationActionRequested,
  conversationMessageReceived,
  conversationTurnCompleted,
  conversationTurnFailed,
  conversationTurnProgressed,
  conversationTurnStarted,
  eventTypes,
  toolCallFinished,
  toolCallRequested,
} from './generated/event-types.ts'
export type {
  ConversationActionRequested,
  ConversationMessageReceived,
  ConversationTurnCompleted,
  ConversationTurnFailed,
  ConversationTurnProgressed,
  ConversationTurnStarted,
  ToolCallFinished,
  ToolCallRequested,
} from './generated/types.ts'
