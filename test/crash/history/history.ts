// What a crash run leaves behind, as the checkers read it. Each list is a file of JSON lines, so that a run can be judged again
// long after it ended. Times are epoch milliseconds.

/** What the handler of `counter` does with an event. */
export type Conduct = 'succeed' | 'fail-once' | 'reject' | 'exhaust'

/** One try of a sender. `failed`: it is certain that nothing was stored; `indeterminate`: nobody knows. */
export interface Send {
  /** `first`: the event as it is; `repeat`: the same again; `conflict`: other data under an id that was used. */
  readonly kind: 'first' | 'repeat' | 'conflict'
  readonly id: string
  readonly key: string
  /** Of the key, from 1. */
  readonly number: number
  readonly amount: number
  readonly conduct: Conduct
  readonly outcome: 'acked' | 'failed' | 'indeterminate'
  readonly at: number
}

export type Actor = 'counter' | 'banker' | 'booking'

/** A row that a handler wrote in its transaction. */
export interface Effect {
  readonly actor: Actor
  /** Of the event that was handled. */
  readonly id: string
  /** Of the sender's event that all of it goes back to. */
  readonly origin: string
  readonly key: string
  readonly amount: number
  /** Place in the order of commits of (actor, key), allotted under a row lock. Null where no order is promised. */
  readonly version: number | null
  readonly pid: number
  /** Of the event that it emitted. */
  readonly emitted: string | null
}

export interface Counter {
  readonly actor: Actor
  readonly key: string
  readonly value: number
  readonly version: number
}

/** A request that reached the bank. */
export interface BankCall {
  readonly step: 'charge' | 'notify'
  readonly idempotencyKey: string
  readonly origin: string
  readonly amount: number
  /** False when the bank refused for now, or knew the key already. */
  readonly applied: boolean
}

export interface TopicRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly key: string
  readonly id: string
  /** The CloudEvents extension; null on what senders wrote. */
  readonly sequence: number | null
}

export interface OutboxRow {
  readonly topic: string
  readonly key: string
  readonly sequence: number
  readonly id: string
  readonly state: string
}

export interface DeadLetter {
  readonly function: string
  readonly id: string | null
  readonly cause: string
}

/** What was still to be done when the run was over: all of it must be 0. */
export interface Remainder {
  readonly parked: number
  readonly lanes: number
  readonly outboxPending: number
  /** Records that a source has not committed. */
  readonly lag: number
  /** Records that a source gave up. */
  readonly dropped: number
}

export interface History {
  readonly sends: readonly Send[]
  readonly effects: readonly Effect[]
  readonly counters: readonly Counter[]
  readonly bankCalls: readonly BankCall[]
  readonly records: readonly TopicRecord[]
  readonly outbox: readonly OutboxRow[]
  readonly deadLetters: readonly DeadLetter[]
  /** Ids of events whose dead letter was replayed: they gave up their place in the order. */
  readonly ledger: readonly string[]
  readonly remainder: Remainder
}

/** The topics of the workload. */
export const topicOfSenders = 'tool.requests'
export const topicBetween = 'tool.results'
export const topicOfResults = 'conversation.outbound'

/** Who reads what: the sources of the two functions. */
export const groups = [
  { group: 'counter-tool-requests', topic: topicOfSenders },
  { group: 'banker-tool-results', topic: topicBetween },
] as const
