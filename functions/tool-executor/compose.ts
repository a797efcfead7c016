// Puts the tool-executor together from what serve() gives.

import type { Handler, Resources } from '../../shared/function/index.ts'
import type { Component } from '../../shared/lifecycle/index.ts'
import { createHttpMemory } from '../../shared/memory/index.ts'
import { createUntrustedOutbound } from '../../shared/resilience/index.ts'
import type { toolExecutor } from './function.ts'
import { createHandler } from './handler.ts'
import { createToolbox } from './toolbox.ts'
import { tools as allTools } from './tools/index.ts'

/** A tool is asked for on purpose, so it may take longer than the recall of every turn. In milliseconds. */
const memorySearchMs = 3_000

export interface ToolExecutor {
  readonly handler: Handler<typeof toolExecutor>
  readonly components: readonly Component[]
}

export function createToolExecutor(resources: Resources<typeof toolExecutor>, tools = allTools): ToolExecutor {
  const allow = resources.config.httpFetchAllow
  const outbound = createUntrustedOutbound({ dependency: 'http_fetch', allow }, resources)
  const { memoryServiceUrl: url, memoryServiceToken: token } = resources.config
  const recallTimeoutMs = memorySearchMs
  const memory = url === '' ? undefined : createHttpMemory({ url, token, recallTimeoutMs }, resources)
  const toolbox = createToolbox(tools, { ...resources, outbound, memory })
  const components = memory === undefined ? [toolbox] : [memory, toolbox]
  return { handler: createHandler({ ...resources, toolbox }), components }
}
