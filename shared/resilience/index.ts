export { timeout, type TimeoutOptions } from './timeout.ts'
export { createRetryBudget, type RetryBudget, type RetryBudgetOptions } from './retry-budget.ts'
export { retry, type RetryOptions } from './retry.ts'
export { longestRetryAfterMs, parseRetryAfter } from './retry-after.ts'
export {
  createBreaker,
  judgeError,
  type Breaker,
  type BreakerCall,
  type BreakerOptions,
  type Judgement,
} from './breaker.ts'
export {
  classifyAddress,
  checkUrl,
  createOutbound,
  createUntrustedOutbound,
  isConnectionFailure,
  type AddressVerdict,
  type Outbound,
  type OutboundOptions,
  type OutboundRequest,
  type OutboundResponse,
  type ResponseHeaders,
  type Target,
  type UntrustedOutbound,
  type UntrustedOutboundDeps,
  type UntrustedOutboundOptions,
  type UntrustedRequest,
  type UntrustedResponse,
} from './outbound/index.ts'
