export { createHttpSender } from './http-sender.ts'
export { createKafkaSource, upstreamTiming, type KafkaSourceDeps, type KafkaSourceOptions } from './kafka-source.ts'
export {
  deliveryRules,
  durationMs,
  retryDelayMs,
  type DeliveryRules,
  type DeliverySpec,
  type KafkaSourceSpec,
} from './kafka-source-spec.ts'
export type { ReadRequest, RecordLog, SourceRecord } from './record-log.ts'
export type { SinkRequest } from './request/index.ts'
export { meaningOf, type SendOutcome, type Sender, type SinkAnswer } from './sender.ts'
