// The routes of the gateway and what they work with.

import type { Config } from '../../shared/config/index.ts'
import type { Database } from '../../shared/database/index.ts'
import type { Outbox } from '../../shared/delivery/index.ts'
import type { Routes } from '../../shared/function/index.ts'
import type { Channel } from '../../shared/key-value/index.ts'
import type { Clock } from '../../shared/time/index.ts'
import { createAdmitOperator } from './admit-operator.ts'
import { identifyOnce, type Identify } from './identity/identity.ts'
import { openApi } from './openapi.ts'
import { addDeadLetterRoutes, type DeadLetterRoutesDeps } from './routes/dead-letters.ts'
import { addLaneRoutes } from './routes/lanes.ts'
import { addMessageRoutes } from './routes/messages.ts'
import { addStreamRoutes } from './routes/session-stream.ts'
import { addSessionRoutes } from './routes/sessions.ts'
import { sseDefaults, type SseWriterOptions } from './stream/sse-writer.ts'
import { createStreamLimit } from './stream/stream-limit.ts'
import type { StreamInstruments } from './stream/stream-meter.ts'

export interface GatewayDeps extends Pick<DeadLetterRoutesDeps, 'outbound' | 'functionUrl'> {
  readonly config: Pick<Config, 'authMode'>
  readonly identify: Identify
  readonly database: Database
  readonly outbox: Outbox
  readonly channel: Channel
  readonly clock: Clock
  readonly instruments: StreamInstruments
}

export interface GatewayOptions {
  readonly streamsPerTenant: number
  readonly sse?: Partial<SseWriterOptions>
  /** How often a stream looks for events that no signal announced, in milliseconds. */
  readonly pollMs?: number
}

export const createRoutes =
  ({ streamsPerTenant, sse = {}, ...polling }: GatewayOptions, given: GatewayDeps): Routes =>
  (app, context) => {
    const identify = identifyOnce(given.identify)
    const deps = { ...given, identify }
    // Before the body is read: a stranger costs no more than a head.
    app.addHook('onRequest', async (request) => {
      if (request.routeOptions.url?.startsWith('/v1/') === true) await identify(request)
    })
    const limit = createStreamLimit({ perTenant: streamsPerTenant })
    addMessageRoutes(app, { ...deps, context })
    addStreamRoutes(app, { ...deps, ...polling, limit, sse: { ...sseDefaults, ...sse }, context })
    addSessionRoutes(app, deps)
    const admit = createAdmitOperator(deps.config, { ...deps, ...context })
    addDeadLetterRoutes(app, { ...deps, admit, context })
    addLaneRoutes(app, { ...deps, admit, context })
    app.get('/openapi.json', () => openApi)
  }
