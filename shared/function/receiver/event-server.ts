// The receiver of an event function: its intake behind the HTTP server.

import type { Instruments, Logger } from '../../telemetry/index.ts'
import type { Clock } from '../../time/index.ts'
import type { EventFunction } from '../contract.ts'
import type { Health } from '../operations/health.ts'
import { admissionsOf, createEventIntake, type Work } from './event-intake.ts'
import { createReceiver, type Receiver, type ReceiverOptions } from './receiver.ts'
import { createRecord } from './record.ts'

export interface EventServerDeps {
  readonly clock: Clock
  readonly log: Logger
  readonly instruments: Instruments
  readonly health: Pick<Health, 'answer'>
  readonly work: Work
}

export function createEventServer(
  definition: EventFunction,
  options: ReceiverOptions,
  deps: EventServerDeps,
): Receiver {
  const { clock, log, instruments, health, work } = deps
  const admissions = admissionsOf(definition)
  return createReceiver(options, {
    clock,
    health,
    admissions,
    intake: createEventIntake(definition, { clock, log, work, admissions }),
    record: createRecord({ instruments, log }),
    laneTokenHeader: work.kind === 'delivery' ? work.laneTokenHeader : undefined,
    release: async () => (work.kind === 'delivery' ? work.delivery.release() : []),
  })
}
