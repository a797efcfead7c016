// What earlier conversations said that may help with a message. A comfort: without memory-service, or when it is slow, the turn
// goes on without memories.

import { messageOf } from '../../shared/errors/index.ts'
import { memoryLimits, wordsOf, type Memory, type RecalledMemory } from '../../shared/memory/index.ts'
import type { Instruments, Logger } from '../../shared/telemetry/index.ts'
import type { ConversationKey } from './session-scene.ts'

/** Namespace of what turns said. */
export const conversationNamespace = 'conversation'

const mostMemories = 5
/** Share of a short message's words that a memory must have. Of a long one a few words are enough. */
const leastScore = 0.3
const enoughWords = 3

export interface RecallDeps {
  readonly memory: Pick<Memory, 'recall'>
  readonly instruments: Pick<Instruments, 'memoryRecalls'>
  readonly log: Logger
}

export interface Recalling {
  readonly key: ConversationKey
  /** The message of the turn. */
  readonly text: string
  readonly signal: AbortSignal
}

export type Recall = (recalling: Recalling) => Promise<readonly RecalledMemory[]>

/** Memories of other conversations: those of this one are in the prompt as they were said. Never throws. */
export const createRecall =
  ({ memory, instruments, log }: RecallDeps): Recall =>
  async ({ key: { tenant, sessionId }, text, signal }) => {
    const query = text.slice(0, memoryLimits.queryLength).toWellFormed()
    const words = new Set(wordsOf(query)).size
    if (words === 0) return []
    const min_score = Math.min(leastScore, enoughWords / words)
    const question = {
      query,
      namespace: conversationNamespace,
      except_session_id: sessionId,
      min_score,
      limit: mostMemories,
    }
    try {
      const memories = await memory.recall(question, { tenant, signal })
      instruments.memoryRecalls.inc({ outcome: memories.length > 0 ? 'found' : 'none' })
      return memories
    } catch (error) {
      if (signal.aborted) return [] // whoever aborted it goes no further
      instruments.memoryRecalls.inc({ outcome: 'unavailable' })
      log.warn({ reason: messageOf(error) }, 'a turn goes on without its memories')
      return []
    }
  }

/** Where no memory-service is configured. */
export const recallNothing: Recall = async () => []
