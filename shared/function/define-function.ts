// Makes the contract of an event function or a scheduled function: declarative, no I/O, safe to import anywhere. Runtime
// pipeline, topics, delivery, probes, scaling and manifests follow from it, so what does not fit is refused here.
//
// D1  Every consumed type is carried by the topic it is consumed from, and no (topic, type) pair is named twice.
// D2  `transaction` and `steps` keep their state in Postgres, so they name it in `needs`.
// D3  Only a `stateless` function may consume `anyEvent`, others only `anyEventOn` named topics; and then nothing else.

import type {
  Consumes,
  DeliveryBudget,
  EventFunction,
  EventFunctionContract,
  Execution,
  Need,
  ScheduledFunction,
  ScheduledFunctionContract,
  SourceBudget,
} from './contract.ts'
import {
  checkConsumes,
  checkDelivery,
  checkIdentity,
  checkNeeds,
  checkSchedule,
  checkScale,
  checkSize,
  checkSource,
} from './definition-checks.ts'

export const defaultDelivery: DeliveryBudget = {
  attempts: 8,
  backoff: { firstMs: 200, maxMs: 60_000 },
  timeoutMs: 10_000,
}

/** An hour without the database or the function loses nothing; an answer that takes half a minute never comes. */
export const defaultSource: SourceBudget = { outageMs: 3_600_000, backoffMs: 500, timeoutMs: 30_000 }

/** @throws SluiceError `invalid_definition`, naming the function, the field and the remedy. */
export function defineFunction<const N extends readonly Need[]>(
  contract: ScheduledFunctionContract<N>,
): ScheduledFunction<N>
export function defineFunction<const C extends Consumes, E extends Execution, const N extends readonly Need[]>(
  contract: EventFunctionContract<C, E, N>,
): EventFunction<C, E, N>
export function defineFunction(
  contract: ScheduledFunctionContract | EventFunctionContract<Consumes, Execution, readonly Need[]>,
): ScheduledFunction | EventFunction {
  checkIdentity(contract)
  checkScale(contract)
  checkSize(contract)
  if ('schedule' in contract) {
    checkSchedule(contract)
    return Object.freeze({ kind: 'scheduled', produces: [], ...contract })
  }
  const definition: EventFunction = {
    kind: 'event',
    ...contract,
    delivery: contract.delivery ?? defaultDelivery,
    source: { ...defaultSource, ...contract.source },
  }
  checkConsumes(definition)
  checkNeeds(definition)
  checkDelivery(definition)
  checkSource(definition)
  return Object.freeze(definition)
}
