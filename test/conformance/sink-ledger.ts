// What sinks received, in order, and what they are to answer. Shared by the sinks in memory and those behind sockets.

import type { Clock } from '../../shared/time/index.ts'
import type { ScriptedAnswer } from './capture.ts'
import { headerOf, type ReceivedRequest } from './received-request.ts'
import { labelOf } from './scripted-answer.ts'

export type Destination = 'sink' | 'dls' | 'redirect'

export interface SinkStep {
  readonly atMs: number
  readonly to: Destination
  /** The key of the record, else the id of its event. */
  readonly record: string
  /** 1 = the first. */
  readonly attempt: number
  readonly answer: number | string
  readonly request: ReceivedRequest
  closedByClientAfterMs?: number
}

export interface Asked {
  readonly to: Destination
  readonly record: string
  readonly attempt: number
}

export type AnswerFor = (asked: Asked) => ScriptedAnswer

export interface Arrival {
  readonly answer: ScriptedAnswer
  /** 1 = the first request of all. */
  readonly number: number
  /** Answered, or given up by the client. */
  readonly end: (how: 'answered' | 'closed') => void
}

export interface SinkLedger {
  readonly steps: readonly SinkStep[]
  readonly maxInFlight: () => number
  arrived(to: Destination, request: ReceivedRequest): Arrival
}

export function createSinkLedger(answerFor: AnswerFor, { clock }: { readonly clock: Clock }): SinkLedger {
  const steps: SinkStep[] = []
  const attempts = new Map<string, number>()
  let inFlight = 0
  let most = 0
  return {
    steps,
    maxInFlight: () => most,
    arrived: (to, request) => {
      const record = headerOf(request, 'ce-key') ?? headerOf(request, 'ce-id') ?? ''
      const attempt = (attempts.get(`${to} ${record}`) ?? 0) + 1
      attempts.set(`${to} ${record}`, attempt)
      const answer = answerFor({ to, record, attempt })
      const step: SinkStep = { atMs: clock.now(), to, record, attempt, answer: labelOf(answer), request }
      steps.push(step)
      inFlight += 1
      most = Math.max(most, inFlight)
      return {
        answer,
        number: steps.length,
        end: (how) => {
          inFlight -= 1
          if (how === 'closed') step.closedByClientAfterMs = clock.now() - step.atMs
        },
      }
    },
  }
}

/** Where a request of a captured source goes. */
export function destinationOf(url: string, deadLetterUri: string | undefined): Destination {
  if (url === deadLetterUri) return 'dls'
  return URL.parse(url)?.pathname.startsWith('/redirected/') === true ? 'redirect' : 'sink'
}

/** Nothing listened there when the captures were made. */
export const isClosed = (url: string): boolean => URL.parse(url)?.port === '18089'
