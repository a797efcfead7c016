// Puts the tool-executor together from what serve() gives.

import type { Handler, Resources } from '../../shared/function/index.ts'
import type { Component } from '../../shared/lifecycle/index.ts'
import { createUntrustedOutbound } from '../../shared/resilience/index.ts'
import type { toolExecutor } from './function.ts'
import { createHandler } from './handler.ts'
import { createToolbox } from './toolbox.ts'
import { tools as allTools } from './tools/index.ts'

export interface ToolExecutor {
  readonly handler: Handler<typeof toolExecutor>
  readonly components: readonly Component[]
}

export function createToolExecutor(resources: Resources<typeof toolExecutor>, tools = allTools): ToolExecutor {
  const allow = resources.config.httpFetchAllow
  const outbound = createUntrustedOutbound({ dependency: 'http_fetch', allow }, resources)
  const toolbox = createToolbox(tools, { ...resources, outbound })
  return { handler: createHandler({ ...resources, toolbox }), components: [toolbox] }
}
