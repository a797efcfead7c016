export {
  anyEvent,
  anyEventOn,
  type AnyEvent,
  type AnyFunction,
  type Consumes,
  type Consumption,
  type DeliveryBudget,
  type EventFunction,
  type EventFunctionContract,
  type Execution,
  type HttpFunction,
  type HttpFunctionContract,
  type Need,
  type Scale,
  type ScheduledFunction,
  type ScheduledFunctionContract,
  type Size,
  type SourceBudget,
  type StreamBudget,
  type Use,
} from './contract.ts'
export { defaultDelivery, defaultSource, defineFunction } from './define-function.ts'
export { defineHttpFunction } from './define-http-function.ts'
export type { ContextOf, EventOf, Handler, StatelessContext, Tick, TickContext } from './handler.ts'
export type { Behaviour, HttpContext, Resources, Routes, Surroundings } from './composition.ts'
export { answerOnce, idempotencyKeyOf } from './http/answer-once.ts'
export { answerTimesOf, type AnswerTimes } from './receiver/answer-times.ts'
export { healthPaths, healthSchemas } from './operations/openapi.ts'
export { namesThisMachine } from './page-requests.ts'
export { findPortHolder } from './port-holder.ts'
export { registerFunction } from './functions-framework.ts'
export { serve } from './serve.ts'
export { isTenant } from './tenant.ts'
