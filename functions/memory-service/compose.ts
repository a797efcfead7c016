// Puts memory-service together from what serve() gives.

import type { Resources, Routes } from '../../shared/function/index.ts'
import { createRoutes } from './app.ts'
import type { memoryService } from './function.ts'
import { createIdentify } from './identity.ts'

export const createMemoryService = (resources: Resources<typeof memoryService>): { readonly routes: Routes } => ({
  routes: createRoutes({ ...resources, identify: createIdentify(resources.config) }),
})
