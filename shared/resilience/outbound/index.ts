export { classifyAddress, type AddressVerdict } from './classify-address.ts'
export { checkUrl, type Target } from './check-url.ts'
export { isConnectionFailure } from './outbound-error.ts'
export {
  createOutbound,
  type Outbound,
  type OutboundOptions,
  type OutboundRequest,
  type OutboundResponse,
} from './outbound.ts'
export { type ResponseHeaders } from './response.ts'
export {
  createUntrustedOutbound,
  type UntrustedOutbound,
  type UntrustedOutboundDeps,
  type UntrustedOutboundOptions,
  type UntrustedRequest,
  type UntrustedResponse,
} from './untrusted-outbound.ts'
