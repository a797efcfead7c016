// The contract of an HTTP function: what it needs, what it may emit, how it scales. Its routes live in a Fastify app.

import { checkIdentity, checkProduces, checkScale } from './definition-checks.ts'
import type { Consumption, EventFunction, Need, Scale, ScheduledFunction } from './define-function.ts'

export interface HttpFunctionContract<N extends readonly Need[] = readonly Need[]> {
  /** Kebab-case. Names the folder, the Knative Service, the metric label and the log field. */
  readonly name: string
  readonly purpose: string
  /** Events its routes may emit through `context.transaction`. */
  readonly produces: readonly Consumption[]
  readonly needs: N
  readonly scale: Scale
  /** Largest request body, in bytes. */
  readonly bodyBytes?: number
}

export interface HttpFunction<N extends readonly Need[] = readonly Need[]> extends HttpFunctionContract<N> {
  readonly kind: 'http'
}

export type AnyFunction = EventFunction | ScheduledFunction | HttpFunction

/** @throws SluiceError `invalid_definition`, naming the function, the field and the remedy. */
export function defineHttpFunction<const N extends readonly Need[]>(
  contract: HttpFunctionContract<N>,
): HttpFunction<N> {
  checkIdentity(contract)
  checkScale(contract)
  checkProduces(contract)
  return Object.freeze({ kind: 'http', ...contract })
}
