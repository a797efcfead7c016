// What a turn said becomes a memory.
//
// R1  The write is stored in the transaction that completes the turn, so it is never lost and never of a turn that did not end.
// R2  After COMMIT it is sent at once, beside the work of the run; what does not get there memory-sync sends later, once.

import { hash } from 'node:crypto'
import type { Database, Queryable } from '../../shared/database/index.ts'
import { classifyError, messageOf } from '../../shared/errors/index.ts'
import { conversationMessageReceived } from '../../shared/events/index.ts'
import type { Component } from '../../shared/lifecycle/index.ts'
import {
  claimMemoryWrites,
  memoryLimits,
  removeMemoryWrite,
  returnMemoryWrite,
  storeMemoryWrite,
  type Memory,
  type MemoryWrite,
} from '../../shared/memory/index.ts'
import type { Logger } from '../../shared/telemetry/index.ts'
import type { Clock } from '../../shared/time/index.ts'
import { conversationWorker } from './function.ts'
import { conversationNamespace } from './recall-memories.ts'
import type { ConversationKey, Opening } from './session-scene.ts'

export interface RememberDeps {
  readonly memory: Pick<Memory, 'remember'>
  readonly database: Pick<Database, 'query'>
  readonly clock: Clock
  readonly log: Logger
}

export interface SaidTurn {
  readonly key: ConversationKey
  readonly turnId: string
  readonly opening: Opening | null
  readonly answer: string
}

export interface RememberTurns extends Component {
  /** In the transaction that completes the turn. Nothing for a turn that no person's message began. */
  store(tx: Queryable, turn: SaidTurn): Promise<MemoryWrite | undefined>
  /** After COMMIT. Returns at once and never fails. */
  send(write: MemoryWrite): void
}

const leaseMs = 15_000
/** Longest wait of stop() for what is being sent, in milliseconds; memory-sync has it then. */
const stopMs = 2_000

export function createRememberTurns({ memory, database, clock, log }: RememberDeps): RememberTurns {
  const sending = new Set<Promise<void>>()
  const stopping = new AbortController()

  async function sendNow(only: MemoryWrite): Promise<void> {
    const [write] = await claimMemoryWrites(database, { limit: 1, leaseMs, only })
    if (write === undefined) return // memory-sync was quicker
    const { tenant, idempotencyKey } = write
    try {
      await memory.remember(write.memory, { tenant, idempotencyKey, signal: stopping.signal })
      await removeMemoryWrite(database, write)
    } catch (error) {
      log.warn({ reason: messageOf(error) }, 'what a turn said is remembered later')
      const verdict = classifyError(error)
      const delayMs = verdict.kind === 'retry' ? (verdict.afterMs ?? 0) : 0 // when it did not say, memory-sync judges
      await returnMemoryWrite(database, write, { delayMs, counts: false, cause: verdict.code })
    }
  }

  return {
    name: 'remember-turns',
    store: async (tx, { key, turnId, opening, answer }) => {
      if (opening === null || opening.type !== conversationMessageReceived.type) return undefined
      const memoryKey = keyOf(key.sessionId, turnId)
      const write: MemoryWrite = {
        tenant: key.tenant,
        idempotencyKey: `${conversationWorker.name}/${memoryKey}`,
        memory: {
          key: memoryKey,
          namespace: conversationNamespace,
          session_id: key.sessionId,
          content: contentOf(opening.text, answer),
          metadata: { turn_id: turnId },
        },
      }
      await storeMemoryWrite(tx, write)
      return write
    },
    send: (write) => {
      const sent = sendNow(write)
        .catch((error: unknown) => log.debug({ err: error }, 'a memory write stays in its outbox'))
        .finally(() => sending.delete(sent))
      sending.add(sent)
    },
    start: async () => undefined,
    stop: async () => {
      const end = new AbortController()
      await Promise.race([Promise.all(sending), clock.sleep(stopMs, end.signal).catch(() => undefined)])
      end.abort()
      stopping.abort()
      await Promise.all(sending)
    },
    health: () => ({ status: 'up' }),
  }
}

/** Where no memory-service is configured. */
export const rememberNothing: Pick<RememberTurns, 'store' | 'send'> = {
  store: async () => undefined,
  send: () => undefined,
}

/** One memory a turn, whatever ids a client chose. */
function keyOf(sessionId: string, turnId: string): string {
  const key = `turn:${sessionId}:${turnId}`
  return key.length <= memoryLimits.keyLength ? key : `turn:sha256:${hash('sha256', key)}`
}

/** Characters kept of the message, and of the answer. */
const partLength = memoryLimits.contentLength / 4

/** The message, then the answer after an arrow: no word of its own, since every word is searched. */
const contentOf = (message: string, answer: string): string => `${cut(message)}\n→ ${cut(answer)}`

const cut = (text: string): string =>
  (text.length <= partLength ? text : `${text.slice(0, partLength)}…`).toWellFormed()
