// What stands behind the intake of an event function: its handler itself, or delivery with its handler in it.

import type { StepsHandler, TransactionHandler } from '../delivery/index.ts'
import { SluiceError } from '../errors/index.ts'
import type { Adapters } from './adapters.ts'
import type { Surroundings } from './composition.ts'
import type { EventFunction } from './contract.ts'
import type { StatelessHandler, Work } from './receiver/event-intake.ts'

const dayMs = 86_400_000

export interface WorkDeps {
  readonly adapters: Adapters
  readonly surroundings: Surroundings
}

/** `handler` is what the composition of this very function gave, so its type fits the execution. */
export async function createWork(definition: EventFunction, handler: unknown, deps: WorkDeps): Promise<Work> {
  const { execution, name } = definition
  const { adapters, surroundings } = deps
  if (execution === 'stateless') return { kind: 'stateless', handler: handler as StatelessHandler }
  const { database, outbox, circuits } = adapters
  if (database === undefined || outbox === undefined) throw new SluiceError('start_failed', `${name} needs Postgres`)
  const { createDelivery, laneTokenHeader } = await import('../delivery/index.ts')
  const { hopLimit, inboxRetentionDays } = surroundings.config
  const limits = { hopLimit, tooOldMs: inboxRetentionDays * dayMs }
  const parts = { ...surroundings, ...limits, database, outbox, circuits }
  const delivery =
    execution === 'steps'
      ? createDelivery({ ...definition, execution }, handler as StepsHandler, parts)
      : createDelivery({ ...definition, execution }, handler as TransactionHandler, parts)
  return { kind: 'delivery', delivery, laneTokenHeader }
}
