// A record of the event log, as far as the codec needs to know one: the shape of shared/event-log, which stands above.

export interface EventRecord {
  readonly topic?: string
  readonly partition?: number
  readonly offset?: number
  readonly key: Buffer | null
  readonly headers: readonly (readonly [name: string, value: Buffer | null])[]
  readonly value: Buffer | null
}
