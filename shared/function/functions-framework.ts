// Registration with Google's Functions Framework, so that `functions-framework --target=<name>` runs an event function and
// its getTestServer tests one. The same intake as in production: trace, validation, tenant, delivery.
//
// What the Framework does before us, and we cannot mend: a binary event without a content-type is answered 500 (its body
// parser leaves the body undefined, though KafkaSource sends raw records so); its JSON parser accepts repeated keys and rounds
// large numbers; SIGTERM does not wait, not even for the spans of the last second. That is why production has a server of its
// own (receiver/receiver.ts).

import { loadConfig } from '../config/index.ts'
import { SluiceError } from '../errors/index.ts'
import { startComponents } from '../lifecycle/index.ts'
import { createTracing } from '../telemetry/index.ts'
import { systemClock } from '../time/index.ts'
import { createAdapters } from './adapters.ts'
import { compose } from './compose.ts'
import type { Behaviour, Surroundings } from './composition.ts'
import type { EventFunction } from './contract.ts'
import { admissionsOf, createEventIntake } from './receiver/event-intake.ts'
import type { Intake } from './receiver/intake.ts'
import { Reception } from './receiver/reception.ts'
import { createSurroundings } from './surroundings.ts'
import { createWork } from './work.ts'

/** The Framework never tells when a drain begins. */
const never = new AbortController().signal
const tracingStopMs = 1_000

/** Registers the function under its name. Nothing is built or connected before its first event. */
export async function registerFunction<F extends EventFunction>(definition: F, behaviour: Behaviour<F>): Promise<void> {
  const { cloudEvent } = await import('@google-cloud/functions-framework') // Express and all, only where it is used
  let intake: Promise<Intake> | undefined
  cloudEvent(definition.name, async (event: unknown) => {
    intake ??= buildIntake(definition, behaviour).catch((error: unknown) => {
      intake = undefined // the next event tries again
      throw error
    })
    const { headers, body } = toRequest(event as Attributes)
    const reception = new Reception({
      headers,
      laneToken: undefined,
      caller: undefined,
      arrivedAtMs: systemClock.monotonic(),
    })
    const { status, code = 'internal' } = await (await intake)(reception, body)
    // The Framework knows two answers: 204, and 500 for whatever is thrown, which its caller tries again.
    if (status >= 300) throw new SluiceError(code, `the event was answered ${status}`)
  })
}

async function buildIntake<F extends EventFunction>(definition: F, behaviour: Behaviour<F>): Promise<Intake> {
  const config = loadConfig()
  const plain = createSurroundings({ name: definition.name, config, clock: systemClock, draining: never })
  const tracing = await createTracing({ function: definition.name, config }, plain)
  try {
    return await startIntake(definition, behaviour, { ...plain, tracer: tracing.tracer })
  } catch (error) {
    await tracing.stop(tracingStopMs) // the next try makes one of its own
    throw error
  }
}

async function startIntake<F extends EventFunction>(
  definition: F,
  behaviour: Behaviour<F>,
  surroundings: Surroundings,
): Promise<Intake> {
  const adapters = await createAdapters(definition, surroundings)
  const { handler, components = [] } = await compose(behaviour, adapters, surroundings)
  const work = await createWork(definition, handler, { adapters, surroundings })
  await startComponents([...adapters.components, ...components], never)
  return createEventIntake(definition, { ...surroundings, work, admissions: admissionsOf(definition) })
}

interface Attributes {
  readonly [name: string]: unknown
  readonly data?: unknown
  readonly data_base64?: unknown
  readonly datacontenttype?: unknown
}

/** Back to the binary form, because the decoder's rules are the ones that count. */
function toRequest({ data, data_base64, datacontenttype, ...attributes }: Attributes): {
  headers: Record<string, string>
  body: Buffer
} {
  // As from a KafkaSource: what cannot be an event of this function becomes a dead letter instead of being tried for ever.
  const headers: Record<string, string> = { 'kn-namespace': '' }
  for (const [name, value] of Object.entries(attributes)) {
    if (['string', 'number', 'boolean'].includes(typeof value)) headers[`ce-${name}`] = String(value)
  }
  const value = typeof data_base64 === 'string' ? Buffer.from(data_base64, 'base64') : data
  const contentType = typeof datacontenttype === 'string' ? datacontenttype : contentTypeOf(value)
  if (contentType !== undefined) headers['content-type'] = contentType
  const body = bytesOf(value, contentType)
  if (value !== undefined) headers['content-length'] = String(body.length)
  return { headers, body }
}

/** In binary mode the Framework keeps the content type to itself, and hands over what it made of the body. */
function contentTypeOf(data: unknown): string | undefined {
  if (data === undefined || Buffer.isBuffer(data)) return undefined
  return typeof data === 'string' ? 'text/plain' : 'application/json'
}

function bytesOf(data: unknown, contentType = ''): Buffer {
  if (data === undefined) return Buffer.alloc(0)
  if (Buffer.isBuffer(data)) return data
  return Buffer.from(typeof data === 'string' && !contentType.includes('json') ? data : JSON.stringify(data))
}
