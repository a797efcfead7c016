// The function `banker` as a process, on the same runtime as every other function.

import { serve } from '../../../shared/function/index.ts'
import { banker, createBanker } from './functions.ts'
import { processDeps } from './process-deps.ts'

await serve(banker, createBanker(processDeps(process.env)))
