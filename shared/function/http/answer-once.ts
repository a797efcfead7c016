// Idempotency-Key: the answer of a request is stored in the transaction of its effects, so a client that saw no answer may
// ask again and gets the same one, and the effects happened once.
//
//   key unknown              → the request runs; its answer is stored
//   same key, same request   → the stored answer
//   same key, other request  → 422 idempotency_mismatch
//   the first still runs     → 409 idempotency_running, Retry-After
// A refusal is not stored: nothing happened, so the key is free.

import type { FastifyRequest } from 'fastify'
import type { Effects } from '../../delivery/index.ts'
import { SluiceError } from '../../errors/index.ts'
import { dataHash } from '../../events/index.ts'

export interface StorableAnswer {
  readonly status: number
  readonly body: object
}

export interface IdempotentRequest {
  readonly tenant: string
  /** Of the Idempotency-Key header; without one the request just runs. */
  readonly key: string | undefined
  /** Keys of one function are not those of another. */
  readonly function: string
  /** Names the route and holds what was asked. */
  readonly route: string
  readonly asked: unknown
}

/** 1 to 255 printable ASCII characters. @throws SluiceError `invalid_parameter`. */
export function idempotencyKeyOf({ headers }: FastifyRequest): string | undefined {
  const key = headers['idempotency-key']
  if (key === undefined) return undefined
  if (typeof key === 'string' && /^[\u0020-\u007E]{1,255}$/.test(key)) return key
  throw new SluiceError('invalid_parameter', 'Idempotency-Key takes 1 to 255 printable ASCII characters')
}

/** Only `status` and `body` are stored: what else `work` returns is there the first time only. */
export async function answerOnce<Answer extends StorableAnswer>(
  effects: Effects,
  { tenant, key, function: name, route, asked }: IdempotentRequest,
  work: (effects: Effects) => Promise<Answer>,
): Promise<Pick<Answer, 'status' | 'body'> & Partial<Answer>> {
  if (key === undefined) return work(effects)
  const { tx } = effects
  const stored = `${name}\u001F${key}`
  const hash = dataHash({ type: route, data: asked })
  const [locked, found] = await Promise.all([
    tx.query<{ locked: boolean }>(lockSql, [`${tenant} ${stored}`]),
    tx.query<Pick<Answer, 'status' | 'body'> & { same: boolean }>(findSql, [tenant, stored, hash]),
  ])
  if (locked.rows[0]?.locked !== true) {
    throw new SluiceError('idempotency_running', 'The first request with this key still runs', { retryAfterMs: 1_000 })
  }
  const [first] = found.rows
  if (first !== undefined) {
    if (!first.same) throw new SluiceError('idempotency_mismatch', 'This key was used with another request')
    return { status: first.status, body: first.body } as Pick<Answer, 'status' | 'body'> & Partial<Answer>
  }
  const answer = await work(effects)
  await tx.query(storeSql, [tenant, stored, hash, answer.status, JSON.stringify(answer.body)])
  return answer
}

// Held until COMMIT, so the second request sees either the lock or the row. The number keeps these locks apart from others.
const lockSql = `SELECT pg_try_advisory_xact_lock(4, hashtext($1)) AS locked`

const findSql = `
  SELECT status, answer AS body, request_hash = $3 AS same FROM agent.idempotency_key WHERE tenant = $1 AND key = $2`

const storeSql = `
  INSERT INTO agent.idempotency_key (tenant, key, request_hash, status, answer) VALUES ($1, $2, $3, $4, $5::jsonb)`
