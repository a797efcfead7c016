export { rawType, type CloudEvent } from './cloud-event.ts'
export type { EventType } from './event-type.ts'
export { allTopics, deadLetterTopicOf, defaultRetentionMs, topicOf, topicOfType, topics, type Topic } from './topics.ts'
export {
  conversationActionRequested,
  conversationMessageReceived,
  conversationTurnCompleted,
  conversationTurnFailed,
  conversationTurnProgressed,
  conversationTurnStarted,
  eventTypes,
  memoryRecordWritten,
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
  MemoryRecordWritten,
  ToolCallFinished,
  ToolCallRequested,
} from './generated/types.ts'
export { dataHash } from './data-hash.ts'
export { jsonLimits, type JsonLimits } from './json/json-limits.ts'
export { parseJson, type JsonFault, type ParsedJson } from './json/parse-json.ts'
export { eventLimits } from './codec/event-limits.ts'
export type { Decoded, DecodedEvent, DecodeFault, Mode, Origin } from './codec/decoded.ts'
export { decodeHttpEvent, type Binding, type DecodeOptions, type HttpEventRequest } from './codec/decode-http.ts'
export { encodeHttpEvent, type HttpEventMessage } from './codec/encode-http.ts'
export { decodeRecord } from './codec/decode-record.ts'
export {
  encodeRecord,
  encodeWritten,
  recordBytes,
  refuseUndeliverable,
  type EncodedRecord,
} from './codec/encode-record.ts'
export type { EventRecord } from './codec/record.ts'
export { fromJsonFormat, toJsonFormat } from './codec/json-format.ts'
export {
  parseSessionSignal,
  parseTurnStop,
  sessionChannel,
  stopChannel,
  type SessionSignal,
  type TurnStop,
} from './session-signal.ts'
