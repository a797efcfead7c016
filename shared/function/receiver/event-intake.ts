// The intake of an event function, put together: which policies in which order, and what stands at the end.

import type { Delivery } from '../../delivery/index.ts'
import type { CloudEvent } from '../../events/index.ts'
import type { Clock } from '../../time/index.ts'
import type { Instruments, Logger, Tracer } from '../../telemetry/index.ts'
import { isAnyEvent, type EventFunction } from '../contract.ts'
import type { StatelessContext } from '../handler.ts'
import { createAdmission } from './admission.ts'
import { runDeadlineMs, sourceDeadlineMs } from './answer-times.ts'
import { createDecodeRequest } from './decode-request.ts'
import { createDeliver } from './deliver.ts'
import { dryRunTokenHeader } from './dry-run-header.ts'
import { createIntake, type Intake } from './intake.ts'
import { composePipeline, type Policy, type Receive } from './pipeline.ts'
import { admit, type Admissions } from './policies/admit.ts'
import { deadline } from './policies/deadline.ts'
import { distinguishRecords } from './policies/distinguish-records.ts'
import { requireTenant } from './policies/require-tenant.ts'
import { trace } from './policies/trace.ts'
import { validate } from './policies/validate.ts'
import type { Reception } from './reception.ts'
import { createRefuse } from './refuse.ts'
import { errorReply } from './reply.ts'
import { createStatelessRun } from './run-stateless.ts'

export type StatelessHandler = (event: CloudEvent, context: StatelessContext) => Promise<void>

/** What stands at the end of the pipeline. */
export type Work =
  | { readonly kind: 'delivery'; readonly delivery: Delivery; readonly laneTokenHeader: string }
  | { readonly kind: 'stateless'; readonly handler: StatelessHandler }

export interface EventIntakeDeps {
  readonly clock: Clock
  readonly log: Logger
  readonly instruments?: Pick<Instruments, 'badTraceContexts'>
  readonly tracer?: Tracer | undefined
  readonly work: Work
  readonly admissions: Admissions
}

export function createEventIntake(
  definition: EventFunction,
  { clock, log, work, admissions, tracer, instruments }: EventIntakeDeps,
): Intake {
  const refuse = createRefuse(work.kind === 'delivery' ? work.delivery : undefined)
  const pipeline = composePipeline(policiesOf(definition, admissions), lastOf(work, log), {
    clock,
    refuse,
    tracer,
    badTraceContexts: instruments?.badTraceContexts,
  })
  return createIntake({ decode: createDecodeRequest(definition.consumes), refuse, pipeline })
}

/** Outermost first. */
export function policiesOf(definition: EventFunction, admissions: Admissions): readonly Policy[] {
  const { consumes, execution } = definition
  const ms = runDeadlineMs(definition)
  if (execution === 'stateless') {
    const checks = isAnyEvent(consumes) ? [] : [validate(consumes)]
    return [trace(), deadline({ ms }), ...checks, admit(admissions)]
  }
  const checks = isAnyEvent(consumes) ? [distinguishRecords()] : [validate(consumes), requireTenant()]
  const limitMs = (reception: Reception): number => (isRun(reception) ? ms : sourceDeadlineMs(definition))
  return [trace(), deadline({ ms: limitMs }), ...checks, admit(admissions)]
}

/** From the lane, or a dry run: the handler runs, whatever the execution. */
const isRun = ({ laneToken, headers }: Reception): boolean =>
  laneToken !== undefined || headers[dryRunTokenHeader] !== undefined

export function admissionsOf({ scale: { concurrency } }: Pick<EventFunction, 'scale'>): Admissions {
  // As many may wait as run: then nobody waits longer than about one run.
  const places = { concurrency, queue: concurrency }
  return { source: createAdmission(places), lane: createAdmission(places) }
}

function lastOf(work: Work, log: Logger): Receive {
  if (work.kind === 'delivery') return createDeliver(work.delivery)
  const run = createStatelessRun(work.handler, { log })
  // Without a transaction nothing can be undone, so there is no dry run.
  return (incoming, reception) =>
    reception.headers[dryRunTokenHeader] === undefined ? run(incoming, reception) : noDryRun
}

const noDryRun = errorReply('invalid_request', 'refused')
