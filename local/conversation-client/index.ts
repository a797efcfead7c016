export { followSession, type FollowItem, type FollowOptions } from './follow-session.ts'
export { sendMessage, type SendOptions, type SentMessage } from './send-message.ts'
export type { Delta, DurableEvent, StreamItem } from './stream-items.ts'
export { createTurnView, type TurnNews, type TurnView } from './turn-view.ts'
