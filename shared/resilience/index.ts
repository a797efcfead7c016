export { createRetryBudget } from './retry-budget.ts'
export { retry } from './retry.ts'
export { parseRetryAfter } from './retry-after.ts'
export { probeHttp, type HttpProbeOptions } from './probe-http.ts'
export { createBreaker, type Breaker, type Judgement } from './breaker.ts'
export type { Circuit, CircuitState } from './circuit.ts'
export {
  createOutbound,
  createUntrustedOutbound,
  isConnectionFailure,
  type Outbound,
  type OutboundResponse,
  type ResponseHeaders,
  type UntrustedOutbound,
  type UntrustedOutboundDeps,
  type UntrustedResponse,
} from './outbound/index.ts'
