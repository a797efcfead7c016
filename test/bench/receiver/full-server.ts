// Our receiver as it serves a stateless function: limits, decoding, trace, deadline, validation, admission, metrics, and a
// log line an event (to a standard output that goes nowhere).

import { conversationMessageReceived, topics } from '../../../shared/events/index.ts'
import { defineFunction } from '../../../shared/function/index.ts'
import { createEventServer } from '../../../shared/function/receiver/event-server.ts'
import { createInstruments, createLogger } from '../../../shared/telemetry/index.ts'
import { systemClock } from '../../../shared/time/index.ts'

const definition = defineFunction({
  name: 'bench',
  purpose: 'Takes events as fast as they come',
  consumes: [{ topic: topics.conversationInbound, type: conversationMessageReceived }],
  produces: [],
  execution: 'stateless',
  ordering: 'none',
  needs: [],
  scale: { min: 0, max: 1, concurrency: 1_000 },
})
const receiver = createEventServer(
  definition,
  { host: '127.0.0.1', port: 0 },
  {
    clock: systemClock,
    log: createLogger({ function: 'bench', level: 'info' }),
    instruments: createInstruments({ function: 'bench' }),
    health: { answer: () => undefined },
    work: { kind: 'stateless', handler: async () => undefined },
  },
)
await receiver.start(new AbortController().signal)
process.send?.({ port: receiver.port() })
