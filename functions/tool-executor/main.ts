import { serve } from '../../shared/function/index.ts'
import { createUntrustedOutbound } from '../../shared/resilience/index.ts'
import { toolExecutor } from './function.ts'
import { createHandler } from './handler.ts'
import { createToolbox } from './toolbox.ts'
import { tools } from './tools/index.ts'

await serve(toolExecutor, {
  compose: (resources) => {
    const outbound = createUntrustedOutbound(
      { dependency: 'http_fetch', allow: resources.config.httpFetchAllow },
      resources,
    )
    const toolbox = createToolbox(tools, { ...resources, outbound })
    return { handler: createHandler({ ...resources, toolbox }) }
  },
})
