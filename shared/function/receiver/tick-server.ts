// The receiver of a scheduled function. A tick is no delivery: it has no inbox row, and one that comes while another runs
// changes nothing, because the running one does its work too.

import type { CloudEvent } from '../../events/index.ts'
import type { Instruments, Logger, Tracer } from '../../telemetry/index.ts'
import { createDeadline, type Clock } from '../../time/index.ts'
import { anyEvent, type ScheduledFunction } from '../contract.ts'
import type { Tick, TickContext } from '../handler.ts'
import type { Health } from '../operations/health.ts'
import { overrunMs } from './answer-times.ts'
import { admissionsOf } from './event-intake.ts'
import { createDecodeRequest } from './decode-request.ts'
import { createIntake } from './intake.ts'
import { createJamWatch, type JamWatch } from './jam-watch.ts'
import { composePipeline, type Receive } from './pipeline.ts'
import { admit } from './policies/admit.ts'
import { deadline } from './policies/deadline.ts'
import { trace } from './policies/trace.ts'
import { createReceiver, type Receiver, type ReceiverOptions } from './receiver.ts'
import { createRecord } from './record.ts'
import { createRefuse } from './refuse.ts'
import { errorReply, type Reply } from './reply.ts'
import { replyOfError } from './reply-of-error.ts'

export type TickHandler = (tick: Tick, context: TickContext) => Promise<void>

export interface TickServerDeps {
  readonly clock: Clock
  readonly log: Logger
  readonly instruments: Instruments
  readonly tracer?: Tracer | undefined
  readonly health: Pick<Health, 'answer'>
  readonly handler: TickHandler
}

const tickType = 'dev.knative.sources.ping'

export function createTickServer(
  definition: ScheduledFunction,
  options: ReceiverOptions,
  deps: TickServerDeps,
): Receiver & JamWatch {
  const { clock, log, instruments, health, tracer } = deps
  const { badTraceContexts } = instruments
  const admissions = admissionsOf(definition)
  const refuse = createRefuse(undefined)
  const longestRunMs = definition.budgetMs + overrunMs
  const policies = [trace(), deadline({ ms: longestRunMs }), admit(admissions)]
  const receiver = createReceiver(options, {
    clock,
    health,
    admissions,
    intake: createIntake({
      decode: createDecodeRequest(anyEvent),
      refuse,
      pipeline: composePipeline(policies, createTickRun(definition, deps), { clock, refuse, tracer, badTraceContexts }),
    }),
    record: createRecord({ instruments, log }),
    laneTokenHeader: undefined,
    release: async () => [],
  })
  return { ...receiver, ...createJamWatch(Object.values(admissions), { longestRunMs }, { clock }) }
}

const done: Reply = { status: 200, outcome: 'done' }
const busy: Reply = { status: 200, outcome: 'duplicate' }

function createTickRun({ budgetMs }: ScheduledFunction, { clock, log, handler }: TickServerDeps): Receive {
  let running = false
  return async ({ event }, reception) => {
    if (!isTick(event)) return errorReply('unknown_type', 'invalid')
    if (running) return busy
    running = true
    const budget = createDeadline({ ms: budgetMs, what: 'the tick', parent: reception.signal }, { clock })
    try {
      await handler(event, { log, signal: budget.signal, remainingMs: () => budget.remainingMs() })
      return done
    } catch (error) {
      return replyOfError(error)
    } finally {
      budget.cancel()
      running = false
    }
  }
}

const isTick = (event: CloudEvent): event is Tick => event.type === tickType
