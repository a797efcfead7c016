// Memory writes on their way to memory-service (agent.memory_write_outbox). A write is stored in the transaction of what said
// it, so it is lost only if that is; whoever stored it tries at once, and memory-sync sends what is left.
//
// W1  A row goes only after memory-service has answered that it holds the memory, or as a dead letter.
// W2  Who sends has the row's lease; a process that died leaves one that runs out (W-5). Every change names the lease's token.
// W3  Two writes of one memory keep their order: the later one waits for the earlier.
// W4  Every try carries the same idempotency key, so a lost answer does not write twice (W-17).

import { randomUUID } from 'node:crypto'
import type { Queryable } from '../database/index.ts'
import type { MemoryToRemember } from './memory.ts'

export interface MemoryWrite {
  readonly tenant: string
  /** Of the event that said it. */
  readonly idempotencyKey: string
  readonly memory: MemoryToRemember & { readonly key: string }
}

export interface ClaimedWrite extends MemoryWrite {
  readonly writeId: number
  readonly token: string
  /** Tries so far that memory-service answered. */
  readonly attempts: number
}

/** The process that stores a write has this long to send it itself before memory-sync takes it, in milliseconds. */
const headStartMs = 10_000

const storeSql = `
  INSERT INTO agent.memory_write_outbox (tenant, idempotency_key, memory_key, request, due_at)
  VALUES ($1, $2, $3, $4, sluice.after_ms($5)) ON CONFLICT (tenant, idempotency_key) DO NOTHING`

/** In the transaction of what said it. A repeat changes nothing. */
export async function storeMemoryWrite(tx: Queryable, { tenant, idempotencyKey, memory }: MemoryWrite): Promise<void> {
  await tx.query(storeSql, [tenant, idempotencyKey, memory.key, JSON.stringify(memory), headStartMs])
}

/**
 * Work of memory-sync that became a dead letter (`raw` is what was to be remembered) is sent once more. By the name of the
 * function, as a replay wants it.
 */
export const memoryWork: ReadonlyMap<string, (tx: Queryable, work: BuriedWrite) => Promise<void>> = new Map([
  [
    'memory-sync',
    async (tx, { tenant, id, raw }) => void (await tx.query(storeSql, [tenant, id, keyIn(raw), raw.toString(), 0])),
  ],
])

interface BuriedWrite {
  readonly tenant: string
  readonly id: string
  readonly raw: Buffer
}

const keyIn = (raw: Buffer): string => (JSON.parse(raw.toString()) as MemoryWrite['memory']).key

export interface ClaimOptions {
  readonly limit: number
  readonly leaseMs: number
  /** Only this one, due or not. Default: those that are due. */
  readonly only?: Pick<MemoryWrite, 'tenant' | 'idempotencyKey'>
}

const claimSql = `
  UPDATE agent.memory_write_outbox AS claimed SET token = $1, lease_until = sluice.after_ms($2)
  WHERE write_id IN (
    SELECT write_id FROM agent.memory_write_outbox AS due
    WHERE CASE WHEN $4::text IS NULL THEN due_at <= clock_timestamp() ELSE tenant = $4 AND idempotency_key = $5 END
      AND (lease_until IS NULL OR lease_until < clock_timestamp())
      AND NOT EXISTS (
        SELECT FROM agent.memory_write_outbox AS earlier
        WHERE earlier.tenant = due.tenant AND earlier.memory_key = due.memory_key AND earlier.write_id < due.write_id)
    ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED)
  RETURNING write_id AS "writeId", tenant, idempotency_key AS "idempotencyKey", request AS memory, attempts`

export async function claimMemoryWrites(
  database: Queryable,
  { limit, leaseMs, only }: ClaimOptions,
): Promise<readonly ClaimedWrite[]> {
  const token = randomUUID()
  const values = [token, leaseMs, limit, only?.tenant ?? null, only?.idempotencyKey ?? null]
  const { rows } = await database.query<Omit<ClaimedWrite, 'token'>>(claimSql, values)
  return rows.map((row) => ({ ...row, token })).toSorted((a, b) => a.writeId - b.writeId)
}

const removeSql = `DELETE FROM agent.memory_write_outbox WHERE write_id = $1 AND token = $2`

/** memory-service has it, or a dead letter has. Returns whether the row was still this claim's. */
export async function removeMemoryWrite(tx: Queryable, { writeId, token }: ClaimedWrite): Promise<boolean> {
  return (await tx.query(removeSql, [writeId, token])).rowCount === 1
}

const returnSql = `
  UPDATE agent.memory_write_outbox
  SET token = NULL, lease_until = NULL, due_at = sluice.after_ms($3), attempts = attempts + $4, cause = $5
  WHERE write_id = $1 AND token = $2`

export interface Returned {
  readonly delayMs: number
  /** Whether memory-service answered, so that the try counts. */
  readonly counts: boolean
  /** An error code. */
  readonly cause: string
}

/** It is tried again after the delay. */
export async function returnMemoryWrite(
  database: Queryable,
  { writeId, token }: ClaimedWrite,
  { delayMs, counts, cause }: Returned,
): Promise<void> {
  await database.query(returnSql, [writeId, token, delayMs, counts ? 1 : 0, cause])
}
