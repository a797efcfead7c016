// The function `counter` as a process, on the same runtime as every other function.

import { serve } from '../../../shared/function/index.ts'
import { counter, createCounter } from './functions.ts'
import { processDeps } from './process-deps.ts'

await serve(counter, createCounter(processDeps(process.env)))
