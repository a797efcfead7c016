// The receiver of an event function: its intake behind the HTTP server.

import type { Instruments, Logger, Tracer } from '../../telemetry/index.ts'
import type { Clock } from '../../time/index.ts'
import type { EventFunction } from '../contract.ts'
import type { Health } from '../operations/health.ts'
import { runDeadlineMs } from './answer-times.ts'
import { admissionsOf, createEventIntake, type Work } from './event-intake.ts'
import { createJamWatch, type JamWatch } from './jam-watch.ts'
import type { OverloadGuard } from './overload-guard.ts'
import { createReceiver, type Receiver, type ReceiverOptions } from './receiver.ts'
import type { Admissions } from './policies/admit.ts'
import { createRecord } from './record.ts'

export interface EventServerDeps {
  readonly clock: Clock
  readonly log: Logger
  readonly instruments: Instruments
  readonly tracer?: Tracer | undefined
  readonly health: Pick<Health, 'answer'>
  readonly work: Work
  readonly guard?: Pick<OverloadGuard, 'sheds'> | undefined
}

export function createEventServer(
  definition: EventFunction,
  options: ReceiverOptions,
  deps: EventServerDeps,
): Receiver & JamWatch {
  const { clock, log, instruments, health, work, tracer, guard } = deps
  const admissions = admissionsOf(definition)
  showPlaces(admissions, instruments)
  const watch = createJamWatch(Object.values(admissions), { longestRunMs: runDeadlineMs(definition) }, { clock })
  const receiver = createReceiver(options, {
    clock,
    health,
    admissions,
    guard,
    intake: createEventIntake(definition, { clock, log, instruments, tracer, work, admissions }),
    record: createRecord({ instruments, log }),
    laneTokenHeader: work.kind === 'delivery' ? work.laneTokenHeader : undefined,
    release: async () => (work.kind === 'delivery' ? work.delivery.release() : []),
  })
  return { ...receiver, ...watch }
}

function showPlaces(
  admissions: Admissions,
  { admissionRunning, admissionWaiting }: Pick<Instruments, 'admissionRunning' | 'admissionWaiting'>,
): void {
  admissionRunning.collect = () => {
    for (const door of ['source', 'lane'] as const) admissionRunning.set({ door }, admissions[door].running())
  }
  admissionWaiting.collect = () => {
    for (const door of ['source', 'lane'] as const) admissionWaiting.set({ door }, admissions[door].waiting())
  }
}
