export { isConnectionFailure } from './outbound-error.ts'
export { createOutbound, type Outbound, type OutboundResponse } from './outbound.ts'
export { type ResponseHeaders } from './response.ts'
export {
  createUntrustedOutbound,
  type UntrustedOutbound,
  type UntrustedOutboundDeps,
  type UntrustedResponse,
} from './untrusted-outbound.ts'
