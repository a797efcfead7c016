// Makes the contract of an HTTP function: what it needs, what it may emit, how it scales. Its routes live in a Fastify app.

import { checkAnswers, checkIdentity, checkProduces, checkScale, checkSize } from './definition-checks.ts'
import type { HttpFunction, HttpFunctionContract, Need } from './contract.ts'

/** @throws SluiceError `invalid_definition`, naming the function, the field and the remedy. */
export function defineHttpFunction<const N extends readonly Need[]>(
  contract: HttpFunctionContract<N>,
): HttpFunction<N> {
  checkIdentity(contract)
  checkScale(contract)
  checkSize(contract)
  checkProduces(contract)
  const definition: HttpFunction<N> = { kind: 'http', answerMs: 60_000, ...contract }
  checkAnswers(definition)
  return Object.freeze(definition)
}
