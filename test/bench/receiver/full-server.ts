// Our receiver as it serves a stateless function that calls something: limits, decoding, deadline, validation, admission, metrics
// with exemplars, a log line an event (to a standard output that goes nowhere), a span an event (to the collector that the first
// argument names), and a breaker around what the handler does.

import { conversationMessageReceived, topics } from '../../../shared/events/index.ts'
import { defineFunction } from '../../../shared/function/index.ts'
import { createEventServer } from '../../../shared/function/receiver/event-server.ts'
import { createBreaker } from '../../../shared/resilience/index.ts'
import { createInstruments, createLogger, createRedact, createTracing } from '../../../shared/telemetry/index.ts'
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
const clock = systemClock
const redact = createRedact([])
const log = createLogger({ function: 'bench', level: 'info', redact })
const instruments = createInstruments({ function: 'bench' })
const [otlpEndpoint = ''] = process.argv.slice(2)
const { tracer } = await createTracing(
  { function: 'bench', config: { otlpEndpoint, otlpHeaders: undefined, traceSampleRatio: 1 } },
  { clock, log, instruments, redact },
)
const breaker = createBreaker({ dependency: 'model', timeoutMs: 10_000, capacity: 1_000 }, { clock, instruments })
const receiver = createEventServer(
  definition,
  { host: '127.0.0.1', port: 0 },
  {
    clock,
    log,
    instruments,
    tracer,
    health: { answer: () => undefined },
    work: { kind: 'stateless', handler: () => breaker.run(async () => undefined) },
  },
)
await receiver.start(new AbortController().signal)
process.send?.({ port: receiver.port() })
