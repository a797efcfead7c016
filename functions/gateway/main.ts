import { serve } from '../../shared/function/index.ts'
import { createGateway } from './compose.ts'
import { gateway } from './function.ts'

await serve(gateway, { compose: createGateway })
