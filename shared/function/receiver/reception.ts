// One event request on its way through the pipeline. Its signal is made only when somebody asks for it: most handlers never
// do, and an AbortController costs as much as parsing a small event.

import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import { SluiceError } from '../../errors/index.ts'
import type { TraceContext } from '../../telemetry/index.ts'

export interface ReceptionFacts {
  readonly headers: IncomingHttpHeaders
  readonly response: ServerResponse
  /** When the lane driver sent it. */
  readonly laneToken: string | undefined
  /** Monotonic. */
  readonly arrivedAtMs: number
}

export class Reception {
  readonly headers: IncomingHttpHeaders
  readonly arrivedAtMs: number
  readonly laneToken: string | undefined
  readonly response: ServerResponse
  /** Set by the trace policy. */
  trace: TraceContext | undefined
  /** Set once the event is decoded; name the work in logs and in the drain receipt. */
  id = ''
  type = ''
  /** Monotonic; set by the deadline policy. */
  deadlineAtMs = Number.POSITIVE_INFINITY
  #controller: AbortController | undefined
  #reason: Error | undefined

  constructor({ headers, laneToken, response, arrivedAtMs }: ReceptionFacts) {
    this.headers = headers
    this.response = response
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
      const { response } = this
      this.#controller = new AbortController()
      if (this.#reason !== undefined) this.#controller.abort(this.#reason)
      response.once('close', () => {
        if (!response.writableFinished) this.abort(new SluiceError('aborted', 'the caller went away'))
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
