// Puts the gateway together from what serve() gives.

import type { Resources, Routes } from '../../shared/function/index.ts'
import { createRoutes, type GatewayOptions } from './app.ts'
import type { gateway } from './function.ts'
import { createIdentify } from './identity.ts'

export function createGateway(
  resources: Resources<typeof gateway>,
  options: Partial<GatewayOptions> = {},
): { readonly routes: Routes } {
  const { streamsPerTenant } = resources.config
  const identify = createIdentify(resources.config, resources)
  return { routes: createRoutes({ streamsPerTenant, ...options }, { ...resources, identify }) }
}
