// Puts the gateway together from what serve() gives.

import { functionUrlsOf } from '../../shared/delivery/index.ts'
import type { Resources, Routes } from '../../shared/function/index.ts'
import type { Component } from '../../shared/lifecycle/index.ts'
import { createOutbound, type Outbound } from '../../shared/resilience/index.ts'
import { createRoutes, type GatewayOptions } from './app.ts'
import type { gateway } from './function.ts'
import { createIdentify } from './identity/create-identify.ts'

export function createGateway(
  resources: Resources<typeof gateway>,
  options: Partial<GatewayOptions> = {},
): { readonly routes: Routes; readonly components: readonly Component[] } {
  const { streamsPerTenant } = resources.config
  const { identify, components } = createIdentify(resources.config, resources)
  // Only dry runs of dead letters call another function.
  const outbound = createOutbound(
    { dependency: 'function', connectMs: 2_000, headersMs: 60_000, bodyIdleMs: 10_000 },
    resources,
  )
  const deps = { ...resources, identify, outbound, functionUrl: functionUrlsOf(resources.config) }
  return {
    routes: createRoutes({ streamsPerTenant, ...options }, deps),
    components: [...components, stopping(outbound)],
  }
}

const stopping = (outbound: Outbound): Component => ({
  name: 'outbound',
  start: async () => undefined,
  stop: () => outbound.stop(),
  health: () => ({ status: 'unknown' }),
})
