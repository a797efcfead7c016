// The routes of memory-service and what they work with.

import type { Queryable } from '../../shared/database/index.ts'
import type { Routes } from '../../shared/function/index.ts'
import type { Clock } from '../../shared/time/index.ts'
import type { Identify } from './identity.ts'
import { addRecallRoute } from './routes/recall.ts'
import { addRecordRoutes } from './routes/records.ts'
import { addRememberRoute } from './routes/remember.ts'

export interface MemoryServiceDeps {
  readonly identify: Identify
  readonly database: Queryable
  readonly clock: Clock
}

export const createRoutes =
  (deps: MemoryServiceDeps): Routes =>
  (app, context) => {
    addRememberRoute(app, { ...deps, context })
    addRecallRoute(app, { ...deps, context })
    addRecordRoutes(app, { ...deps, context })
  }
