// From the bytes of a request to what is answered: decoding, then the pipeline, or the way out for what cannot be decoded.
// Knows no server, so that whatever brings a request can use it.

import type { DecodeRequest } from './decode-request.ts'
import type { Receive, Refuse } from './pipeline.ts'
import type { Reception } from './reception.ts'
import type { Reply } from './reply.ts'

export interface IntakeDeps {
  readonly decode: DecodeRequest
  readonly refuse: Refuse
  readonly pipeline: Receive
}

export type Intake = (reception: Reception, raw: Buffer) => Reply | Promise<Reply>

export const createIntake =
  ({ decode, refuse, pipeline }: IntakeDeps): Intake =>
  (reception, raw) => {
    const decoded = decode(reception.headers, raw)
    if (!decoded.ok) {
      const { code, message, ok: _, ...origin } = decoded
      reception.id = decoded.id ?? ''
      reception.trace = decoded.trace
      return refuse({ code, message, raw, origin }, reception)
    }
    const { id, type } = decoded.event
    reception.id = id
    reception.type = type
    return pipeline(Object.assign(decoded, { raw }), reception) // no copy: nobody else has it
  }
