import { serve } from '../../shared/function/index.ts'
import { createRoutes } from './app.ts'
import { gateway } from './function.ts'
import { createIdentify } from './identity.ts'

await serve(gateway, {
  compose: (resources) => {
    const { streamsPerTenant } = resources.config
    const identify = createIdentify(resources.config, resources)
    return { routes: createRoutes({ streamsPerTenant }, { ...resources, identify }) }
  },
})
