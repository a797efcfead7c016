// The end of the pipeline for functions without state: runs the handler and turns its outcome into an answer. Delivery is at
// least once and the source does the retrying, so what may succeed later is 503, and what cannot is a 4xx that sends the
// event to the source's own sink.

import type { Incoming } from '../../delivery/index.ts'
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
  (incoming, reception) => {
    try {
      const running = handler(incoming.event, new Context(log, incoming, reception))
      return Promise.resolve(running).then(replyDone, replyOfError)
    } catch (error) {
      return replyOfError(error) // a handler that is no async function
    }
  }

const replyDone = (): Reply => done

// A class for its lazy getters: signal and delivery are made only for a handler that asks.
class Context implements StatelessContext {
  readonly log: Logger
  readonly #incoming: Incoming
  readonly #reception: Reception

  constructor(log: Logger, incoming: Incoming, reception: Reception) {
    this.log = log
    this.#incoming = incoming
    this.#reception = reception
  }

  get signal(): AbortSignal {
    return this.#reception.signal
  }

  get delivery(): StatelessContext['delivery'] {
    const { event, topic, key } = this.#incoming
    const origin = { source: event.source, id: event.id, key: laneKey(event, key) }
    return topic === undefined ? origin : { ...origin, topic }
  }
}

const laneKey = (event: CloudEvent, key: string | undefined): string => event.extensions['partitionkey'] ?? key ?? ''
