// Buffers what a handler emits until the end of its transaction. What no log would take is refused here, while the handler
// can still see it: later there is nobody to tell. The data is written down once and at once: the handler may go on changing it.

import { SluiceError } from '../../errors/index.ts'
import {
  encodeWritten,
  eventLimits,
  parseJson,
  recordBytes,
  refuseUndeliverable,
  toJsonFormat,
  type CloudEvent,
  type EventType,
  type Topic,
} from '../../events/index.ts'
import { formatTraceparent, noTracer, type TraceContext, type Tracer } from '../../telemetry/index.ts'
import type { Clock } from '../../time/index.ts'
import type { Production } from '../contract.ts'
import type { Emit, EmitOptions } from '../handler.ts'
import type { WrittenEvent } from './claim.ts'
import { newEventId } from './event-ids.ts'
import { hopsExtension, type Chain } from './hops.ts'
import { numbered } from './outbox-record.ts'

/** An event on its way into the outbox. */
export interface Emission {
  readonly topic: string
  readonly key: string
  readonly id: string
  readonly tenant: string
  /** In the JSON format of CloudEvents, without the `sequence` that it gets when it is published. */
  readonly json: string
  /** Saves who publishes it from memory the reading of `json`. */
  readonly written?: WrittenEvent
}

export interface EmissionsOptions {
  /** Name of the function; the source of the events is `/sluice/<function>`. */
  readonly function: string
  readonly produces: readonly Production[]
  /** For events that name no other. */
  readonly tenant: string
  /** Of the event for which they are emitted. Without one they begin chains. */
  readonly chain?: Chain
}

export interface Emissions {
  readonly emit: Emit
  /** What was emitted so far, in order. */
  readonly emitted: readonly Emission[]
  /** What is emitted from now on would be lost, so it is refused. */
  readonly close: () => void
}

export interface EmissionsDeps {
  readonly clock: Clock
  /** Default: nobody records spans. */
  readonly tracer?: Tracer
}

export function createEmissions(options: EmissionsOptions, { clock, tracer = noTracer }: EmissionsDeps): Emissions {
  const emitted: Emission[] = []
  let open = true
  return {
    emitted,
    close: () => {
      open = false
    },
    emit: (type, data, emitOptions) => {
      if (!open) throw new SluiceError('aborted', 'The transaction that this event belongs to is over')
      const topic = topicFor(type, options, emitOptions.topic)
      if (!type.validate(data)) {
        const why = type.explain(data)
        throw new SluiceError(
          'data_invalid',
          `${options.function} emits a ${type.type} that its schema refuses: ${why}`,
        )
      }
      const id = newEventId()
      const placed = { id, trace: traceOf(tracer, { id, type, topic }) }
      const hops = emitOptions.beginsChain === true ? 0 : hopsWithin(options)
      const event = eventOf(type, { ...options, ...emitOptions, ...placed, at: clock.now(), hops })
      const { tenant = options.tenant, key } = emitOptions
      const written = { event, data: jsonOfData(data, type) }
      const json = jsonOf(written)
      refuseUnfit(written, { json, topic, key })
      emitted.push({ topic: topic.name, key, id, tenant, json, written })
      return id
    },
  }
}

function topicFor(type: EventType, { function: name, produces }: EmissionsOptions, wanted: Topic | undefined): Topic {
  const topics = produces.filter((production) => production.type.type === type.type).map(({ topic }) => topic)
  const topic = wanted === undefined ? topics[0] : topics.find((candidate) => candidate.name === wanted.name)
  if (topic === undefined) {
    const where = wanted === undefined ? '' : ` on ${wanted.name}`
    throw new SluiceError(
      'unknown_topic',
      `${name} emits ${type.type}${where}; name the pair in 'produces' of its contract`,
    )
  }
  if (wanted === undefined && topics.length > 1) {
    throw new SluiceError('unknown_topic', `${name} produces ${type.type} on several topics; name one when emitting`)
  }
  return topic
}

function hopsWithin({ function: name, chain }: EmissionsOptions): number {
  if (chain === undefined) return 0
  if (chain.hops <= chain.limit) return chain.hops
  throw new SluiceError(
    'hop_limit',
    `${name} would emit hop ${chain.hops} of a chain of events, and ${chain.limit} is the limit: do functions call each other in a circle?`,
  )
}

/** The place of the event in the trace: the span of its making, which whoever consumes it continues. */
function traceOf(
  tracer: Tracer,
  { id, type, topic }: { readonly id: string; readonly type: EventType; readonly topic: Topic },
): TraceContext {
  const span = tracer.start({
    name: `create ${topic.name}`,
    kind: 'producer',
    attributes: {
      'messaging.system': 'kafka',
      'messaging.operation.name': 'create',
      'messaging.operation.type': 'create',
      'messaging.destination.name': topic.name,
      'messaging.message.id': id,
      'cloudevents.event_type': type.type,
    },
  })
  span.end()
  return span.trace
}

interface Placed {
  readonly id: string
  readonly trace: TraceContext
}

type Facts = EmissionsOptions & EmitOptions & Placed & { readonly at: number; readonly hops: number }

const eventOf = (type: EventType, facts: Facts): CloudEvent => ({
  specversion: '1.0',
  id: facts.id,
  source: `/sluice/${facts.function}`,
  type: type.type,
  ...(facts.subject === undefined || facts.subject === '' ? {} : { subject: facts.subject }),
  time: new Date(facts.at).toISOString(),
  datacontenttype: 'application/json',
  data: undefined,
  extensions: {
    partitionkey: facts.key,
    ...(facts.tenant === '' ? {} : { tenant: facts.tenant }),
    traceparent: formatTraceparent(facts.trace),
    ...(facts.trace.state === undefined ? {} : { tracestate: facts.trace.state }),
    ...(facts.trace.baggage === undefined ? {} : { baggage: facts.trace.baggage }),
    ...(facts.sessionId === undefined ? {} : { sessionid: facts.sessionId }),
    ...(facts.hops === 0 ? {} : { [hopsExtension]: String(facts.hops) }),
  },
})

/** @throws SluiceError `data_invalid` for what JSON leaves out, though a schema may let it pass. */
function jsonOfData(data: unknown, { type }: EventType): string {
  const json: string | undefined = JSON.stringify(data)
  if (json === undefined) throw new SluiceError('data_invalid', `The data of a ${type} has no form in JSON`)
  return json
}

/** The JSON format of the event with its data, which comes last. */
const jsonOf = ({ event, data }: WrittenEvent): string =>
  `${JSON.stringify(toJsonFormat(event)).slice(0, -1)},"data":${data}}`

interface Fit {
  readonly json: string
  readonly topic: Topic
  readonly key: string
}

// NUL and lone surrogates, which JSON.stringify writes as escapes. Rare, so most events are not parsed again.
const suspicious = /\\u(?:0000|d[89a-f])/i

/** Most bytes that a record has beside its event, whose parts it holds once or, as `tracestate`, twice. */
const besideJson = eventLimits.keyBytes + 1_024

/** @throws SluiceError */
function refuseUnfit({ event, data }: WrittenEvent, { json, topic, key }: Fit): void {
  if (key === '' || Buffer.byteLength(key) > eventLimits.keyBytes) {
    throw new SluiceError(
      'invalid_parameter',
      `The key of an event for ${topic.name} must have 1 to ${eventLimits.keyBytes} bytes`,
    )
  }
  const parsed = suspicious.test(json) ? parseJson(json) : undefined
  if (parsed?.ok === false)
    throw new SluiceError(parsed.code, `An event for ${topic.name} cannot be read back: ${parsed.message}`)
  refuseUndeliverable(numbered(event, 0))
  if (2 * Buffer.byteLength(json) + besideJson <= topic.maxEventBytes) return // as nearly all: not worth an exact count
  const bytes = recordBytes(encodeWritten(event, { key, value: Buffer.from(data) }))
  if (bytes > topic.maxEventBytes) {
    throw new SluiceError(
      'event_too_large',
      `An event for ${topic.name} has ${bytes} bytes; the topic takes ${topic.maxEventBytes}`,
    )
  }
}
