// One event request on its way through the pipeline. Its signal is made only when somebody asks for it: most handlers never
// do, and an AbortController costs as much as parsing a small event.

import type { IncomingHttpHeaders } from 'node:http'
import { SluiceError } from '../../errors/index.ts'
import type { TraceContext } from '../../telemetry/index.ts'

export interface Caller {
  readonly writableFinished: boolean
  once(event: 'close', listener: () => void): unknown
}

export interface ReceptionFacts {
  readonly headers: IncomingHttpHeaders
  /** Who waits for the answer, where that can be told; a ServerResponse. */
  readonly caller: Caller | undefined
  /** When the lane driver sent it. */
  readonly laneToken: string | undefined
  /** Monotonic. */
  readonly arrivedAtMs: number
}

export class Reception {
  readonly headers: IncomingHttpHeaders
  readonly arrivedAtMs: number
  readonly laneToken: string | undefined
  /** Set by the trace policy, or with the refusal of what never came so far. */
  trace: TraceContext | undefined
  /** Set once the event is decoded; name the work in logs and in the drain receipt. */
  id = ''
  type = ''
  /** Monotonic; set by the deadline policy. */
  deadlineAtMs = Number.POSITIVE_INFINITY
  readonly #caller: Caller | undefined
  #controller: AbortController | undefined
  #reason: Error | undefined

  constructor({ headers, laneToken, caller, arrivedAtMs }: ReceptionFacts) {
    this.headers = headers
    this.#caller = caller
    this.arrivedAtMs = arrivedAtMs
    this.laneToken = laneToken
  }

  /** A hint for routing, never trust: anyone may send the header. */
  get fromKafkaSource(): boolean {
    return this.headers['kn-namespace'] !== undefined
  }

  /** Aborts when the deadline passes, the caller goes away before its answer, or a drain runs out of time. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#reason !== undefined) this.#controller.abort(this.#reason)
      const caller = this.#caller
      caller?.once('close', () => {
        if (!caller.writableFinished) this.abort(new SluiceError('aborted', 'the caller went away'))
      })
    }
    return this.#controller.signal
  }

  abort(reason: Error): void {
    if (this.#reason !== undefined) return
    this.#reason = reason
    this.#controller?.abort(reason)
  }
}
