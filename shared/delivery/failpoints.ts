// The named points of delivery where a crash test ends the process. Inert otherwise (shared/lifecycle/failpoints.ts).

export const failpoint = {
  /** An event has arrived, nothing is known of it yet. */
  received: 'delivery.received',
  /** The event is claimed in the open transaction, the handler has not run. */
  claimed: 'delivery.claimed',
  /** The handler ran and its writes are in the open transaction. */
  beforeCommit: 'delivery.before-commit',
  /** The transaction of a handler is durable, the answer is not sent. */
  afterCommit: 'delivery.after-commit',
  /** The event is parked in its lane, the 202 is not sent. */
  afterAccept: 'delivery.after-accept',
  /** The start of a step is durable, its work has not begun. */
  stepAfterStart: 'step.after-start',
  /** The work of a step is over, its result is not stored. */
  stepAfterRun: 'step.after-run',
  /** The lane driver has the lane, the function does not know yet. */
  laneAfterClaim: 'lane.after-claim',
  /** Emitted events are durable in the outbox, none is published. */
  outboxAfterCommit: 'outbox.after-commit',
  /** The log has the records, the outbox rows do not say so. */
  outboxAfterPublish: 'outbox.after-publish',
} as const
