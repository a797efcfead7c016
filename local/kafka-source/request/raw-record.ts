// The event made of a record that is not a CloudEvent (InvalidCloudEventInterceptor.java): identity from partition and
// offset, Kafka headers as kafkaheader… extensions, the key twice. Names that become equal: the last one wins.

import { javaText } from '../java/java-text.ts'
import { javaInstant } from '../java/java-time.ts'
import type { SourceRecord } from '../record-log.ts'
import type { DispatchedEvent } from './dispatched-event.ts'
import { decodeKey } from './record-key.ts'

export interface RawRecordOptions {
  readonly namespace: string
  readonly sourceName: string
  readonly keyType: string | undefined
}

export function rawRecordEvent(
  record: SourceRecord,
  { namespace, sourceName, keyType }: RawRecordOptions,
): DispatchedEvent {
  const { topic, partition, offset, timestampMs } = record
  const key = decodeKey(record.key, keyType)
  const extensions = new Map<string, string>()
  if (key !== undefined) extensions.set('partitionkey', key).set('key', key)
  let datacontenttype: string | undefined
  for (const [name, value] of record.headers) {
    const text = javaText(value ?? Buffer.alloc(0))
    if (name.toLowerCase() === 'content-type') datacontenttype = text.toLowerCase()
    else extensions.set(`kafkaheader${name.toLowerCase().replace(/[^a-z0-9]/g, '')}`, text)
  }
  return {
    specversion: '1.0',
    id: `partition:${partition}/offset:${offset}`,
    source: `/apis/v1/namespaces/${namespace}/kafkasources/${sourceName}#${topic}`,
    type: 'dev.knative.kafka.event',
    subject: `partition:${partition}#${offset}`,
    time: javaInstant(timestampMs),
    ...(datacontenttype === undefined ? {} : { datacontenttype }),
    extensions,
    data: record.value,
  }
}
