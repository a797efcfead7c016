// Our receiver with limits and decoding, and the handler right behind: no trace, validation, metrics or log.

import { anyEvent } from '../../../shared/function/index.ts'
import { createAdmission } from '../../../shared/function/receiver/admission.ts'
import { createDecodeRequest } from '../../../shared/function/receiver/decode-request.ts'
import { createIntake } from '../../../shared/function/receiver/intake.ts'
import { createReceiver } from '../../../shared/function/receiver/receiver.ts'
import { createRefuse } from '../../../shared/function/receiver/refuse.ts'
import { createStatelessRun } from '../../../shared/function/receiver/run-stateless.ts'
import { createLogger } from '../../../shared/telemetry/index.ts'
import { systemClock } from '../../../shared/time/index.ts'

const places = createAdmission({ concurrency: 1_000, queue: 0 })
const log = createLogger({ function: 'bench', level: 'silent' })
const receiver = createReceiver(
  { host: '127.0.0.1', port: 0 },
  {
    clock: systemClock,
    health: { answer: () => undefined },
    admissions: { source: places, lane: places },
    intake: createIntake({
      decode: createDecodeRequest(anyEvent),
      refuse: createRefuse(undefined),
      pipeline: createStatelessRun(async () => undefined, { log }),
    }),
    record: () => undefined,
    laneTokenHeader: undefined,
    release: async () => [],
  },
)
await receiver.start(new AbortController().signal)
process.send?.({ port: receiver.port() })
