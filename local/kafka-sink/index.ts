export { createKafkaSink, type KafkaSink, type KafkaSinkDeps } from './kafka-sink.ts'
