// A policy: lets in as many events as the function's concurrency allows. Runs from the lane have places of their own, so
// that handlers which take a minute do not keep the source's events from being taken in, and the other way round.

import type { Admission } from '../admission.ts'
import type { Policy } from '../pipeline.ts'
import type { Reception } from '../reception.ts'
import { errorReply, type Reply } from '../reply.ts'

export interface Admissions {
  readonly source: Admission
  readonly lane: Admission
}

export const overloaded: Reply = errorReply('overloaded', 'overloaded', { shed: 'queue', retryAfterS: 1 })

export const admissionFor = (admissions: Admissions, reception: Reception): Admission =>
  reception.laneToken === undefined ? admissions.source : admissions.lane

export const admit =
  (admissions: Admissions): Policy =>
  ({ clock }, next) =>
  async (incoming, reception) => {
    const admission = admissionFor(admissions, reception)
    const entry = admission.enter()
    if (entry === 'refused') return overloaded
    if (entry !== 'entered') await entry
    try {
      // Waited too long: the caller has its answer already, so the work would be for nobody.
      if (clock.monotonic() > reception.deadlineAtMs) return overloaded
      return await next(incoming, reception)
    } finally {
      admission.leave()
    }
  }
