// The memory of the platform as its callers see it: what was said comes back when something like it is asked. Names are those
// of the wire (POST /v1/memory/remember and /v1/memory/recall), which memory-service and any system in its place speak.

import type { Component } from '../lifecycle/index.ts'

/** Bounds of the protocol. A caller cuts to them; memory-service refuses what is over them. */
export const memoryLimits = {
  /** Characters of a key, visible ASCII. */
  keyLength: 200,
  contentLength: 32_768,
  queryLength: 4_096,
  /** Memories of one answer. */
  recalled: 50,
} as const

/** Names the tenant of a request. Believed because only functions reach memory-service (loopback, or the token). */
export const memoryTenantHeader = 'sluice-tenant'

export interface MemoryToRemember {
  /** A memory with this key is replaced. Left out: a new memory. */
  readonly key?: string
  readonly namespace?: string
  readonly session_id?: string
  readonly content: string
  /** ISO 639 code. Left out: guessed from the content. */
  readonly language?: string
  readonly metadata?: Readonly<Record<string, string>>
}

export interface Remembered {
  readonly key: string
  /** Place of the write in the log of writes; recall takes it as `after`. */
  readonly position: string
}

export interface RecallQuestion {
  /** Words of which a memory must have some. Left out: the newest memories. */
  readonly query?: string
  readonly namespace?: string
  readonly session_id?: string
  readonly except_session_id?: string
  /** Least share of the words of the query that a memory must have, 0 to 1. */
  readonly min_score?: number
  readonly limit?: number
  /** A position: the answer holds this write and every earlier one of its key. */
  readonly after?: string
  /** Longest wait for `after`, in milliseconds. */
  readonly wait_ms?: number
}

export interface RecalledMemory {
  readonly key: string
  readonly namespace: string
  readonly session_id: string | null
  readonly content: string
  readonly language: string
  readonly metadata: Readonly<Record<string, string>>
  readonly position: string
  readonly written_at: string
  /** Share of the words of the query that it has, 0 to 1. Null without a query. */
  readonly score: number | null
}

export interface MemoryCall {
  readonly tenant: string
  readonly signal: AbortSignal
}

export interface Memory extends Component {
  /** @throws SluiceError: retryable unless memory-service refuses the memory itself. */
  remember(memory: MemoryToRemember, call: MemoryCall & { readonly idempotencyKey: string }): Promise<Remembered>
  /** Best first. @throws SluiceError */
  recall(question: RecallQuestion, call: MemoryCall): Promise<readonly RecalledMemory[]>
}
