// Looks for something that was said before, in whatever conversation of the tenant. What was said may be a stranger's text, so
// it is marked as such.

import { SluiceError } from '../../../shared/errors/index.ts'
import { memoryLimits } from '../../../shared/memory/index.ts'
import { defineTool } from '../tool.ts'

interface Found {
  readonly text: string
  readonly when: string
  /** Share of the words of the query that it has. */
  readonly score: number
}

/** Longest text of one memory, in characters; ten of them fit a result. */
const textLength = 1_500

export const memorySearch = defineTool<{ readonly query: string; readonly limit?: number }>({
  name: 'memory_search',
  description:
    'Searches what was said and noted in earlier conversations by words. Returns the best matches with their dates. Use it when the person refers to something from before that is not in this conversation.',
  parameters: {
    type: 'object',
    additionalProperties: false,
    required: ['query'],
    properties: {
      query: { type: 'string', minLength: 1, maxLength: 1_000, description: 'Words that the memory should have.' },
      limit: { type: 'integer', minimum: 1, maximum: 10, description: 'Most matches. Default: 5.' },
    },
  },
  effect: 'read',
  limits: { timeoutMs: 4_000, concurrent: 32 },
  run: async ({ query, limit = 5 }, { memory, tenant, signal }) => {
    if (memory === undefined) throw new SluiceError('tool_disabled', 'There is no memory to search')
    const question = { query: query.slice(0, memoryLimits.queryLength), limit }
    const memories = await memory.recall(question, { tenant, signal })
    const found = memories.map(({ content, written_at, score }): Found => ({
      text: content.slice(0, textLength).toWellFormed(),
      when: written_at,
      score: score ?? 0,
    }))
    return { found, untrusted: true }
  },
})
