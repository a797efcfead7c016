export { createHttpSender, type Address } from './http-sender.ts'
export {
  createKafkaSource,
  upstreamTiming,
  type KafkaSource,
  type KafkaSourceDeps,
  type KafkaSourceOptions,
} from './kafka-source.ts'
export type { RecordOutcome } from './deliver-record.ts'
export {
  deliveryRules,
  durationMs,
  isoDurationOf,
  linearRetriesFor,
  retryDelayMs,
  type DeliveryRules,
  type DeliverySpec,
  type KafkaSourceSpec,
} from './kafka-source-spec.ts'
export type { ReadRequest, RecordLog, SourceRecord } from './record-log.ts'
export { isFolded, type SinkRequest } from './request/index.ts'
export type { SendOptions, SendOutcome, Sender, SinkAnswer } from './sender.ts'
