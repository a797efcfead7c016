// Records as kafkajs has them and as the port has them. kafkajs keeps headers in an object, so values of a repeated name keep
// their order but stand together; and it cannot write a header without a value, which becomes an empty one.

import type { IHeaders, KafkaMessage, Message } from 'kafkajs'
import type { AppendRecord, LogRecord } from '../event-log.ts'

export function toMessage({ key, value, headers, timestampMs }: AppendRecord, partition: number): Message {
  const grouped: Record<string, Buffer[]> = Object.create(null) as Record<string, Buffer[]>
  for (const [name, content] of headers) (grouped[name] ??= []).push(content ?? Buffer.alloc(0))
  return {
    key,
    value,
    partition,
    headers: grouped,
    ...(timestampMs === undefined ? {} : { timestamp: String(timestampMs) }),
  }
}

export function toLogRecord(
  message: KafkaMessage,
  { topic, partition }: Pick<LogRecord, 'topic' | 'partition'>,
): LogRecord {
  return {
    topic,
    partition,
    offset: Number(message.offset),
    key: message.key,
    value: message.value,
    headers: Object.entries(message.headers ?? {}).flatMap(([name, content]) => headerOf(name, content)),
    timestampMs: Number(message.timestamp),
  }
}

function headerOf(name: string, content: IHeaders[string] | null): LogRecord['headers'] {
  const values = Array.isArray(content) ? content : [content ?? null]
  return values.map((value) => [name, typeof value === 'string' ? Buffer.from(value) : value])
}
