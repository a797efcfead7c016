// Delivery of one function's events: two ways in (from the source, from the lane), one way out for what is no event of it,
// and what each is answered. Nothing is answered 2xx that is not durable. Each outcome is logged and counted here, once.

import { classifyError, SluiceError, type ErrorCode } from '../errors/index.ts'
import type { CloudEvent } from '../events/index.ts'
import type { Answer, Delivery, DeliveryContract, Incoming, Outcome } from './contract.ts'
import { laneChannel } from './channels.ts'
import type { DeliveryDeps } from './deps.ts'
import { failpoint } from './failpoints.ts'
import type { StepsHandler, TransactionHandler } from './handler.ts'
import { whyUnwanted } from './inbox/unwanted.ts'
import { parseLaneToken } from './lanes/lane-token.ts'
import { rehearse } from './replay/dry-run.ts'
import { reportDryRun, takeDryRun } from './replay/dry-run-token.ts'
import { acceptSteps } from './runs/accept-steps.ts'
import { acceptTransaction } from './runs/accept-transaction.ts'
import type { Behaviour } from './runs/behaviour.ts'
import { createCircuitGate } from './runs/circuit-gate.ts'
import { settled, type Decided } from './runs/decision.ts'
import { runFromLane } from './runs/from-lane.ts'
import { refuse } from './runs/refuse.ts'

const statusOf = {
  done: 200,
  duplicate: 200,
  parked: 202,
  retrying: 202,
  waiting: 202,
  held: 202,
  dead: 202,
  stale: 409,
  refused: 503,
} as const satisfies Record<Outcome, Answer['status']>

type HandlerOf<E, Event extends CloudEvent> = E extends 'transaction' ? TransactionHandler<Event> : StepsHandler<Event>

/** The receiver guarantees that only events the handler's contract consumes get here. */
export function createDelivery<E extends DeliveryContract['execution'], Event extends CloudEvent = CloudEvent>(
  contract: DeliveryContract & { readonly execution: E },
  handler: HandlerOf<E, Event>,
  deps: DeliveryDeps,
): Delivery {
  const { database, outbox, clock, log, instruments, failpoints } = deps
  const released = new AbortController()
  const underWay = new Map<Promise<unknown>, string>()
  // The signature pairs handler and execution; the compiler cannot see it from inside.
  const behaviour = {
    execution: contract.execution,
    contract,
    handler,
    parent: released.signal,
    gate: createCircuitGate({ function: contract.name }, deps),
  } as unknown as Behaviour

  // A counter that is first seen at 1 has not risen, for whoever watches its rate.
  for (const outcome of Object.keys(levels) as Outcome[]) instruments.deliveries.inc({ outcome }, 0)

  /** Does the work, then what its decision asks for, and answers. Never throws. */
  async function answered(eventId: string, work: () => Promise<Decided>): Promise<Answer> {
    failpoints(failpoint.received)
    const begun = clock.monotonic()
    const deciding = work()
    underWay.set(deciding, eventId)
    try {
      const decided = await deciding
      note(eventId, decided, clock.monotonic() - begun)
      followUp(decided)
      return answerOf(decided)
    } catch (error) {
      const { code, message: reason } = classifyError(error)
      note(eventId, { outcome: 'refused', code, reason, emitted: [] }, clock.monotonic() - begun)
      return { status: 503, outcome: 'refused', code, retryAfterS: retryAfterS(code) }
    } finally {
      underWay.delete(deciding)
    }
  }

  function followUp({ outcome, emitted }: Decided): void {
    outbox.publish(emitted)
    if (outcome === 'parked') failpoints(failpoint.afterAccept)
    else failpoints(failpoint.afterCommit)
    // The driver looks by itself too, once a second.
    if (outcome === 'parked' || outcome === 'retrying')
      void database.notify(laneChannel, contract.name).catch(() => undefined)
  }

  function note(
    eventId: string,
    { outcome, code, reason, attempt, delayMs, gaveBack = false }: Decided,
    ms: number,
  ): void {
    instruments.deliveries.inc({ outcome })
    if (attempt !== undefined) {
      instruments.runSeconds.observe({ outcome }, ms / 1_000)
      instruments.attempts.inc({ outcome: gaveBack ? 'given-back' : outcome })
    }
    if (outcome === 'duplicate') instruments.inboxDuplicates.inc()
    if (outcome === 'dead') instruments.deadLetters.inc({ cause: code ?? 'internal' })
    const level = levels[outcome]
    const facts = { event_id: eventId, outcome, code, reason, attempt, retry_in_ms: delayMs, ms: Math.round(ms) }
    log[level](facts, messages[outcome])
  }

  return {
    accept: (incoming) =>
      answered(incoming.event.id, () => {
        const unwanted = whyUnwanted(incoming, deps)
        if (unwanted !== undefined) return refuse({ ...incoming, ...unwanted, headers: {} }, contract, deps)
        return behaviour.execution === 'steps'
          ? acceptSteps(incoming, contract, deps)
          : acceptTransaction(incoming, behaviour, deps)
      }),
    run: (incoming: Incoming, laneToken) =>
      answered(incoming.event.id, async () => {
        const offer = parseLaneToken(laneToken)
        return offer === undefined ? settled('stale') : runFromLane({ incoming, offer }, behaviour, deps)
      }),
    dryRun: async ({ event, ...incoming }, token) => {
      try {
        const rehearsed = { function: contract.name, source: event.source, id: event.id }
        if (!(await takeDryRun(database, token, rehearsed))) return answerOf(settled('stale'))
        const report = await rehearse({ event, ...incoming }, behaviour, deps)
        await reportDryRun(database, token, report)
        log.info({ event_id: event.id, outcome: report.outcome, ms: report.ms }, 'dry run over; nothing was kept')
        return answerOf(settled('done'))
      } catch (error) {
        const { code, message: reason } = classifyError(error)
        log.warn({ event_id: event.id, code, reason }, 'dry run impossible')
        return { status: 503, outcome: 'refused', code, retryAfterS: retryAfterS(code) }
      }
    },
    reject: (refused) => answered(refused.event?.id ?? '', () => refuse(refused, contract, deps)),
    release: async () => {
      const unfinished = [...underWay]
      released.abort(new SluiceError('draining', 'The process is shutting down'))
      await Promise.allSettled(unfinished.map(([deciding]) => deciding))
      return unfinished.map(([, eventId]) => eventId)
    },
  }
}

const messages = {
  done: 'event done',
  duplicate: 'event was taken before',
  parked: 'event parked in its lane',
  retrying: 'event failed and is tried again',
  waiting: 'event waits for a dependency',
  held: 'event failed for the last time; its lane waits for a person',
  dead: 'event became a dead letter',
  stale: 'offer of a lane is stale',
  refused: 'event could not be recorded; its source comes again',
} as const satisfies Record<Outcome, string>

const levels = {
  done: 'info',
  duplicate: 'info',
  parked: 'info',
  retrying: 'warn',
  waiting: 'info',
  held: 'error',
  dead: 'error',
  stale: 'info',
  refused: 'warn',
} as const satisfies Record<Outcome, string>

const answerOf = ({ outcome, code }: Decided): Answer => ({
  status: statusOf[outcome],
  outcome,
  ...(code === undefined ? {} : { code }),
})

/** A busy lane is free in a moment; a database takes longer to come back. */
const retryAfterS = (code: ErrorCode): number => (code === 'lane_busy' ? 1 : 5)
