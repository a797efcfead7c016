// Contract of the tool-executor.

import { toolCallFinished, toolCallRequested, topics } from '../../shared/events/index.ts'
import { defineFunction } from '../../shared/function/index.ts'

export const toolExecutor = defineFunction({
  name: 'tool-executor',
  purpose: 'Runs one tool call that a model asked for, within its limits, and reports how it ended',
  consumes: [{ topic: topics.toolRequests, type: toolCallRequested }],
  produces: [{ topic: topics.toolResults, type: toolCallFinished }],
  execution: 'steps',
  // The calls of one round run side by side.
  ordering: 'none',
  delivery: { attempts: 5, backoff: { firstMs: 100, maxMs: 5_000 }, timeoutMs: 60_000 },
  needs: ['postgres'],
  uses: ['memory'],
  scale: { min: 0, max: 20, concurrency: 50 },
})
