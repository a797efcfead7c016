// A dead letter of work that no event started, such as a request that a scheduled function gives up on. It lies with the others
// for a person to look at; what it asked for is in `raw`.

import type { Transaction } from '../../database/index.ts'
import type { ErrorCode } from '../../errors/index.ts'
import { currentTrace, formatTraceparent, newTrace } from '../../telemetry/index.ts'
import type { DeliveryDeps } from '../deps.ts'
import { bury } from './bury.ts'
import { fingerprintOf } from './fingerprint.ts'

export interface AbandonedWork {
  readonly function: string
  readonly tenant: string
  /** Names the work within its function. */
  readonly id: string
  readonly raw: Buffer
  readonly code: ErrorCode
  readonly message: string
  readonly attempts: number
  readonly error?: unknown
}

/** In the transaction that removes the work. */
export async function buryWork(
  tx: Transaction,
  { function: name, tenant, id, raw, code, message, attempts, error }: AbandonedWork,
  deps: Pick<DeliveryDeps, 'outbox' | 'versions'>,
): Promise<void> {
  const nowhere = { topic: null, partition: null, offset: null, recordKey: null, key: null, headers: null, event: null }
  const identity = { function: name, source: `/sluice/${name}`, id, tenant }
  const failure = { cause: code, message, attempts, fingerprint: fingerprintOf(code, error) }
  const trace = formatTraceparent(currentTrace() ?? newTrace())
  // Taken away with the work, so a repeat is another death: also of the same work, when it was taken back and failed again.
  await bury(tx, { ...nowhere, ...identity, ...failure, raw, trace, taken: true }, deps)
}
