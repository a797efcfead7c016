// Puts memory-sync together from what serve() gives.

import type { Handler, Resources } from '../../shared/function/index.ts'
import type { Component } from '../../shared/lifecycle/index.ts'
import { createHttpMemory } from '../../shared/memory/index.ts'
import type { memorySync } from './function.ts'
import { createHandler } from './handler.ts'
import type { SendOptions } from './send-writes.ts'

export interface MemorySync {
  readonly handler: Handler<typeof memorySync>
  readonly components: readonly Component[]
}

export function createMemorySync(
  resources: Resources<typeof memorySync>,
  options: Partial<SendOptions> = {},
): MemorySync {
  const { memoryServiceUrl: url, memoryServiceToken: token, memoryRecallTimeoutMs: recallTimeoutMs } = resources.config
  if (url === '') return { handler: createHandler(options, { ...resources, memory: undefined }), components: [] }
  const memory = createHttpMemory({ url, token, recallTimeoutMs }, resources)
  return { handler: createHandler(options, { ...resources, memory }), components: [memory] }
}
