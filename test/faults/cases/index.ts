// The cases, in the order in which they run.

import type { FaultCase } from '../case.ts'
import { redisCases } from './f08-redis.ts'

export const faultCases: readonly FaultCase[] = [...redisCases]
