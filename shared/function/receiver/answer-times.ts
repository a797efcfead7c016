// How long the answers of a function take at most: what the receiver enforces, and what manifests are proven with.

import type { EventFunction, ScheduledFunction } from '../contract.ts'
import { receiverLimits } from '../server-limits.ts'

/**
 * Delivery ends a handler by itself at `timeoutMs` and records it, which beats any answer of ours. So the deadline of the
 * request, the guard against a delivery that hangs, comes this much later, in milliseconds.
 */
export const deliveryGraceMs = 5_000

/** A `steps` function only takes an event in when its source brings it: a connection to the database and two statements. */
const acceptanceMs = 15_000

/** A handler that obeys its signal ends within the budget of its tick; this is for one that does not, in milliseconds. */
export const overrunMs = 1_000

type Timed = Pick<EventFunction, 'delivery' | 'execution'>

/** From the decoded event to its answer when the handler runs. */
export const runDeadlineMs = ({ delivery, execution }: Timed): number =>
  execution === 'stateless' ? delivery.timeoutMs : delivery.timeoutMs + deliveryGraceMs

/** From the decoded event to its answer when its source brings it. */
export const sourceDeadlineMs = (definition: Timed): number =>
  definition.execution === 'steps' ? Math.min(acceptanceMs, runDeadlineMs(definition)) : runDeadlineMs(definition)

/** From the first byte of a request to its answer, in milliseconds. */
export interface AnswerTimes {
  /** Of the KafkaSource or PingSource. */
  readonly sourceMs: number
  /** Of whoever has it run: the lane driver too, where there are lanes. */
  readonly runMs: number
}

export const answerTimesOf = (definition: EventFunction | ScheduledFunction): AnswerTimes => {
  const { requestTimeoutMs } = receiverLimits
  if (definition.kind === 'scheduled') {
    const ms = requestTimeoutMs + definition.budgetMs + overrunMs
    return { sourceMs: ms, runMs: ms }
  }
  return {
    sourceMs: requestTimeoutMs + sourceDeadlineMs(definition),
    runMs: requestTimeoutMs + runDeadlineMs(definition),
  }
}
