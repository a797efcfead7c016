// The end of the pipeline for functions without state: runs the handler and turns its outcome into an answer. Delivery is at
// least once and the source does the retrying, so what may succeed later is 503, and what cannot is a 4xx that sends the
// event to the source's own sink.

import type { CloudEvent } from '../../events/index.ts'
import type { Logger } from '../../telemetry/index.ts'
import type { StatelessContext } from '../handler.ts'
import type { Receive } from './pipeline.ts'
import type { Reply } from './reply.ts'
import { replyOfError } from './reply-of-error.ts'
import type { Reception } from './reception.ts'

const done: Reply = { status: 200, outcome: 'done' }

export const createStatelessRun =
  (
    handler: (event: CloudEvent, context: StatelessContext) => Promise<void>,
    { log }: { readonly log: Logger },
  ): Receive =>
  async ({ event, topic, key }, reception) => {
    try {
      await handler(event, new Context({ log, reception, event, topic, key: laneKey(event, key) }))
      return done
    } catch (error) {
      return replyOfError(error)
    }
  }

interface ContextFacts {
  readonly log: Logger
  readonly reception: Reception
  readonly event: CloudEvent
  readonly topic: string | undefined
  readonly key: string
}

// A class for its lazy getters: the signal is made only for a handler that asks.
class Context implements StatelessContext {
  readonly log: Logger
  readonly #facts: ContextFacts

  constructor(facts: ContextFacts) {
    this.log = facts.log
    this.#facts = facts
  }

  get signal(): AbortSignal {
    return this.#facts.reception.signal
  }

  get delivery(): StatelessContext['delivery'] {
    const { event, topic, key } = this.#facts
    const origin = { source: event.source, id: event.id, key }
    return topic === undefined ? origin : { ...origin, topic }
  }
}

const laneKey = (event: CloudEvent, key: string | undefined): string => event.extensions['partitionkey'] ?? key ?? ''
