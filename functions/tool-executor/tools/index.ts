// Every tool there is. A tool is offered to a model when the tenant's catalogue has it, too.

import type { Tool } from '../tool.ts'
import { calculate } from './calculate.ts'
import { echo } from './echo.ts'
import { httpFetch } from './http-fetch.ts'
import { memorySearch } from './memory-search.ts'
import { timestamp } from './timestamp.ts'

export const tools: readonly Tool[] = [calculate, echo, httpFetch, memorySearch, timestamp]
