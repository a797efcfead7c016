// A CloudEvent (version 1.0) as the rest of Sluice sees it: parsed, checked, immutable by type.
//
// C1  `extensions` holds lower-case names `[a-z0-9]+` and text values; integers and booleans are in their canonical text form.
// C2  `data` is what `datacontenttype` says: parsed JSON, text, or bytes. `undefined` is no data, which is not JSON's null.

export interface CloudEvent<Type extends string = string, Data = unknown> {
  readonly specversion: '1.0'
  readonly id: string
  readonly source: string
  readonly type: Type
  readonly subject?: string
  /** RFC 3339 with a zone, as it was written by the producer. */
  readonly time?: string
  readonly datacontenttype?: string
  readonly dataschema?: string
  readonly data: Data
  readonly extensions: Readonly<Record<string, string>>
}

/** The type that a KafkaSource gives to a record that is no CloudEvent. */
export const rawType = 'dev.knative.kafka.event'
