export type { Answer, Delivery, DeliveryContract, Incoming, Outcome, Production, Refused } from './contract.ts'
export type {
  DeliveryOrigin,
  Effects,
  Emit,
  EmitOptions,
  OnceOutcome,
  Step,
  StepEffect,
  StepRun,
  StepsContext,
  StepsHandler,
  TransactionContext,
  TransactionHandler,
} from './handler.ts'
export type { DeliveryDeps } from './deps.ts'
export { createDelivery } from './delivery.ts'
export { recordGivenUp, type Found, type GivenUp } from './dead-letters/given-up.ts'
export { buryWork } from './dead-letters/bury-work.ts'
export { createTransactional, type TransactionalOptions, type TransactionalRoutes } from './transactional.ts'
export { createBacklog, type Backlog, type BacklogDeps, type BacklogOptions } from './outbox/backlog.ts'
export { createOutbox, type Outbox, type OutboxDeps, type OutboxOptions } from './outbox/outbox.ts'
export { createOutboxGauges } from './outbox/outbox-gauges.ts'
export { createRelay, type RelayDeps } from './outbox/relay.ts'
export { createLaneDriver, laneAnswerMs, type LaneDriverDeps, type LaneDriverOptions } from './lanes/lane-driver.ts'
export { hurryLane, type HurriedLane } from './lanes/hurry-lane.ts'
export { createLaneGauges } from './lanes/lane-gauges.ts'
export { releaseLane, skipHead, type LaneHead } from './lanes/lane-release.ts'
export { listLanes, readLane, type LaneEvent, type LaneState, type LaneSummary } from './lanes/lane-view.ts'
export { functionUrlsOf } from './lanes/function-url.ts'
export { laneTokenHeader } from './lanes/lane-token.ts'
export { failpoint } from './failpoints.ts'
export { createDeliveryPruner, inBatches, type PruneLimits } from './pruning/prune-delivery.ts'
export { discardDeadLetters, type DiscardReport } from './replay/discard-dead-letters.ts'
export type { DeadLetterFilter, DeadLetterState } from './replay/dead-letter-filter.ts'
export type { DryRunReport } from './replay/dry-run-report.ts'
export { dryRunTokenHeader } from './replay/dry-run-token.ts'
export {
  listDeadLetters,
  readDeadLetter,
  type DeadLetterDetail,
  type DeadLetterPage,
  type DeadLetterSummary,
} from './replay/find-dead-letters.ts'
export { planReplay, type PlannedGroup, type ReplayPlan } from './replay/plan-replay.ts'
export { replayDeadLetters, type ReplayReport, type ReplayStep } from './replay/replay-dead-letters.ts'
export type { TakeBack, WorkOf } from './replay/take-back.ts'
export { requestDryRun, type DryRun, type DryRunDeps } from './replay/request-dry-run.ts'
export type { CheckName } from './reconciliation/checks.ts'
export { provePositions, type LogPositions } from './reconciliation/log-positions.ts'
export { reconcile, type Reconciled, type ReconcileOptions } from './reconciliation/reconcile.ts'
