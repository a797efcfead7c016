// The cases, in the order in which they run.

import type { FaultCase } from '../case.ts'
import { kafkaCases } from './f05-kafka.ts'
import { postgresCases } from './f06-postgres.ts'
import { redisCases } from './f08-redis.ts'
import { standingStillCases } from './f11-standing-still.ts'
import { brokenConnectionCases } from './f13-broken-connections.ts'
import { badNetworkCases } from './f14-bad-network.ts'
import { smallHeapCases } from './f16-small-heap.ts'
import { starvedCases } from './f16-starved.ts'
import { badMemoryServiceCases } from './f18-bad-memory-service.ts'
import { badModelCases } from './f18-bad-model.ts'
import { rollingCases } from './f22-rolling-restart.ts'
import { streamCases } from './f23-streams.ts'

export const faultCases: readonly FaultCase[] = [
  ...kafkaCases,
  ...postgresCases,
  // These go on beside those that follow, which mostly wait.
  ...rollingCases,
  ...streamCases,
  ...redisCases,
  ...standingStillCases,
  ...brokenConnectionCases,
  ...badNetworkCases,
  ...starvedCases,
  ...smallHeapCases,
  ...badModelCases,
  ...badMemoryServiceCases,
]
