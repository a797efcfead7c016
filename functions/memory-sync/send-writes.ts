// One pass over the outbox of memory writes: claim what is due, send it, settle each.
//
//   memory-service holds it                        → the row goes
//   it refuses the memory itself                   → dead letter at once
//   it answers with any other error                → another try after a full-jitter back-off; after the last one a dead letter
//   it cannot be reached, or does not answer       → another try later; that counts for nothing, for an outage loses nothing
//
// A settled row is gone or due later, so a pass ends.

import type { Database } from '../../shared/database/index.ts'
import { buryWork, type Outbox } from '../../shared/delivery/index.ts'
import { classifyError, SluiceError, type ErrorCode } from '../../shared/errors/index.ts'
import {
  claimMemoryWrites,
  removeMemoryWrite,
  returnMemoryWrite,
  type ClaimedWrite,
  type Memory,
} from '../../shared/memory/index.ts'
import type { Instruments, Logger } from '../../shared/telemetry/index.ts'
import { backoffDelay, type BackoffOptions, type Clock } from '../../shared/time/index.ts'
import { memorySync } from './function.ts'

export interface SendOptions {
  /** Tries that memory-service answers before a write becomes a dead letter. */
  readonly attempts: number
  readonly backoff: BackoffOptions
  /** Ceiling of the pause while memory-service cannot be reached, in milliseconds. */
  readonly outageMs: number
}

export interface SendDeps {
  readonly database: Database
  readonly outbox: Outbox
  readonly memory: Pick<Memory, 'remember'>
  readonly clock: Clock
  readonly log: Logger
  readonly random: () => number
  readonly instruments: Pick<Instruments, 'memoryWrites' | 'deadLetters'>
  /** Aborts when the process is to stop: what is not under way is left for the next. */
  readonly draining: AbortSignal
}

export interface Tally {
  readonly sent: number
  readonly retried: number
  readonly dead: number
}

// With full jitter about four hours from the first try to the last.
const defaults: SendOptions = { attempts: 20, backoff: { firstMs: 1_000, maxMs: 1_800_000 }, outageMs: 30_000 }
const batch = 16
/** Longer than a write may take. */
const leaseMs = 30_000

type Outcome = keyof Tally

export async function sendWrites(options: Partial<SendOptions>, deps: SendDeps, signal: AbortSignal): Promise<Tally> {
  const { database, instruments } = deps
  const claimed = await claimMemoryWrites(database, { limit: batch, leaseMs })
  const outcomes = await Promise.all(
    claimed.map((write) => sendOne({ ...defaults, ...options }, deps, { write, signal })),
  )
  const tally = { sent: 0, retried: 0, dead: 0 }
  for (const outcome of outcomes) {
    tally[outcome] += 1
    instruments.memoryWrites.inc({ outcome })
  }
  return tally
}

interface Sending {
  readonly write: ClaimedWrite
  readonly signal: AbortSignal
}

async function sendOne(options: SendOptions, deps: SendDeps, { write, signal }: Sending): Promise<Outcome> {
  const { tenant, idempotencyKey, memory } = write
  try {
    await deps.memory.remember(memory, { tenant, idempotencyKey, signal })
  } catch (error) {
    return settleFailure(options, deps, { write, error })
  }
  // When this is lost the lease runs out, and the next try gets the stored answer.
  await removeMemoryWrite(deps.database, write)
  return 'sent'
}

interface Failed {
  readonly write: ClaimedWrite
  readonly error: unknown
}

async function settleFailure(options: SendOptions, deps: SendDeps, failed: Failed): Promise<Outcome> {
  const { write, error } = failed
  const { code, message, afterMs, counts, final } = judge(error)
  const attempts = write.attempts + (counts ? 1 : 0)
  if (final || attempts >= options.attempts) {
    await bury(deps, failed, { code, message, attempts })
    return 'dead'
  }
  const ceiling = counts ? options.backoff : { firstMs: options.outageMs, maxMs: options.outageMs }
  const delayMs = afterMs ?? backoffDelay(ceiling, Math.max(1, attempts), deps.random)
  await returnMemoryWrite(deps.database, write, { delayMs, counts, cause: code })
  deps.log.warn(
    { reason: message, code, attempts, retry_in_ms: delayMs },
    'a memory write was not taken; it comes again',
  )
  return 'retried'
}

interface Judged {
  readonly code: ErrorCode
  readonly message: string
  readonly afterMs?: number
  /** memory-service answered. */
  readonly counts: boolean
  readonly final: boolean
}

function judge(error: unknown): Judged {
  const verdict = classifyError(error)
  const counts = error instanceof SluiceError && error.details['status'] !== undefined
  const afterMs = verdict.kind === 'retry' ? verdict.afterMs : undefined
  const { code, message, kind } = verdict
  return { code, message, counts, final: kind === 'reject', ...(afterMs === undefined ? {} : { afterMs }) }
}

interface Burial {
  readonly code: ErrorCode
  readonly message: string
  readonly attempts: number
}

async function bury(deps: SendDeps, { write, error }: Failed, { code, message, attempts }: Burial): Promise<void> {
  const { tenant, idempotencyKey, memory } = write
  await deps.database.transaction(async (tx) => {
    if (!(await removeMemoryWrite(tx, write))) return // another process has it by now
    const work = { function: memorySync.name, tenant, id: idempotencyKey, raw: Buffer.from(JSON.stringify(memory)) }
    await buryWork(tx, { ...work, code, message, attempts, error }, deps)
  })
  deps.instruments.deadLetters.inc({ cause: code })
  deps.log.error({ code, reason: message, attempts, write: idempotencyKey }, 'a memory write became a dead letter')
}
