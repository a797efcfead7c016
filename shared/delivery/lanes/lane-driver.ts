// Drives the lanes of all functions: takes due ones, POSTs each head to its function, and looks again.
//
//   due ──take (token, epoch, lease)──▶ offered ──the function starts: epoch moves──▶ running ──▶ settled, retried or dead
//    ▲                                    │ never reached, or answered without a start: given back, a little later
//    └───────── the lease runs out ◀──────┴ anything else (a broken connection, this process dies): left alone
//
// D1  What became of an event is in its lane, never in the answer. An answer only says "look now".
// D2  One offer of a lane is out at a time, and at most one start comes of it (sluice.start_run).
// D3  Fair: what is free goes to the function with the least under way, and within it to the tenant with the least; no
//     function has more than `perFunction` at once.
//     A function that cannot be reached costs the others nothing.

import type { Database, Subscription } from '../../database/index.ts'
import { errorLabel, messageOf, SluiceError } from '../../errors/index.ts'
import type { Component, ComponentHealth, Failpoints } from '../../lifecycle/index.ts'
import { createOutbound } from '../../resilience/index.ts'
import { parseTraceparent, withTrace, type Instruments, type Logger, type Tracer } from '../../telemetry/index.ts'
import type { Clock } from '../../time/index.ts'
import { laneChannel } from '../channels.ts'
import { failpoint } from '../failpoints.ts'
import { createLoop, type Loop } from '../loop.ts'
import { formatLaneToken, laneTokenHeader } from './lane-token.ts'
import { giveBackLane, nextDueMs, takeLanes, type LaneOffer, type Share } from './offers.ts'
import { createRests } from './rests.ts'

export interface LaneDriverOptions {
  readonly functionUrl: (name: string) => string
  /** Runs of one function under way at once. Default 128: a waiting POST is cheap, the function limits itself. */
  readonly perFunction?: number
  /** Runs under way at once. Default 512. */
  readonly total?: number
  /** How long stop() waits for answers, in milliseconds. The runs themselves go on without it. Default 2,000. */
  readonly stopTimeoutMs?: number
}

export interface LaneDriverDeps {
  readonly database: Database
  readonly clock: Clock
  readonly log: Logger
  readonly instruments: Instruments
  readonly random: () => number
  readonly failpoints: Failpoints
  /** Default: nobody records spans. */
  readonly tracer?: Tracer
}

const tickMs = 1_000
/**
 * Longer than any run may take (shared/function/definition-checks.ts), so only a function that vanished meets it, and shorter
 * than a request may take on Knative, so that it is never Knative that ends one.
 */
export const laneAnswerMs = 590_000
/** A process that answers without starting the run is draining or full: others, or it, in a moment. */
const declinedMs = 250

type Ending = 'answered' | 'declined' | 'unreachable' | 'broken' | 'abandoned'

export function createLaneDriver(options: LaneDriverOptions, deps: LaneDriverDeps): Component {
  const { functionUrl, perFunction = 128, total = 512, stopTimeoutMs = 2_000 } = options
  const { database, clock, log, instruments, failpoints } = deps
  const outbound = createOutbound(
    { dependency: 'function', connectMs: 2_000, headersMs: laneAnswerMs, bodyIdleMs: 30_000 },
    deps,
  )
  const rests = createRests(deps)
  const abandoned = new AbortController()
  const underWay = new Map<Promise<void>, LaneOffer>()
  let subscription: Subscription | undefined
  let loop: Loop | undefined
  let health: ComponentHealth = { status: 'unknown' }

  async function pass(signal: AbortSignal): Promise<number | undefined> {
    const free = total - underWay.size
    if (free <= 0) return undefined // an answer wakes the loop
    try {
      const offers = await takeLanes(database, {
        busy: sharesOf(underWay.values()),
        resting: rests.resting(),
        perFunction,
        total: free,
      })
      for (const offer of offers) track(offer, signal)
      const dueMs = await nextDueMs(database)
      health = { status: 'up', at: clock.now() }
      return dueMs
    } catch (error) {
      if (health.status !== 'down') log.warn({ reason: messageOf(error) }, 'lanes cannot be taken')
      health = { status: 'down', at: clock.now(), error: errorLabel(error) }
      return undefined
    }
  }

  function track(offer: LaneOffer, stopping: AbortSignal): void {
    const ended = (stopping.aborted ? giveBack(offer, 0) : drive(offer)).finally(() => {
      underWay.delete(ended)
      loop?.wake()
    })
    underWay.set(ended, offer)
  }

  /** Never rejects. */
  async function drive(offer: LaneOffer): Promise<void> {
    failpoints(failpoint.laneAfterClaim)
    const ending = await post(offer)
    instruments.lanesTaken.inc({ outcome: ending })
    if (ending !== 'unreachable') rests.reached(offer.function)
    if (ending === 'unreachable') await giveBack(offer, rests.missed(offer.function))
    if (ending === 'declined') await giveBack(offer, declinedMs)
    if (ending === 'abandoned') await giveBack(offer, 0)
  }

  async function post(offer: LaneOffer): Promise<Ending> {
    const { function: name, event, trace } = offer
    const headers = {
      'content-type': 'application/cloudevents+json; charset=utf-8',
      [laneTokenHeader]: formatLaneToken(offer),
    }
    try {
      const request = { method: 'POST', url: functionUrl(name), headers, body: event } as const
      const call = () => outbound.request(request, { signal: abandoned.signal })
      const context = parseTraceparent(trace ?? undefined) // of the event's acceptance
      const response = await (context === undefined ? call() : withTrace(context, call))
      await response.discard()
      return response.status < 300 ? 'answered' : 'declined'
    } catch (error) {
      if (abandoned.signal.aborted) return 'abandoned'
      return neverArrived(error) ? 'unreachable' : 'broken'
    }
  }

  /** Nothing happens when the run started; when this fails, the lease runs out instead. */
  const giveBack = (offer: LaneOffer, delayMs: number): Promise<void> =>
    giveBackLane(database, offer, delayMs).catch(() => undefined)

  return {
    name: 'lane driver',
    start: async () => {
      const started = createLoop({ tickMs }, { clock }, pass)
      subscription = await database.listen(laneChannel, started.wake)
      loop = started
      started.start()
    },
    stop: async () => {
      await subscription?.stop()
      await loop?.stop()
      const patience = clock.after(stopTimeoutMs, () => abandoned.abort())
      await Promise.all(underWay.keys())
      patience.cancel()
      await outbound.stop()
    },
    health: () => health,
  }
}

function sharesOf(offers: Iterable<LaneOffer>): readonly Share[] {
  const shares = new Map<string, Share>()
  for (const { function: name, tenant } of offers) {
    const share = `${name} ${tenant}`
    shares.set(share, { function: name, tenant, running: (shares.get(share)?.running ?? 0) + 1 })
  }
  return [...shares.values()]
}

// The request cannot have reached the function: no connection was made.
const noConnection = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EADDRNOTAVAIL',
  'UND_ERR_CONNECT_TIMEOUT',
])

const neverArrived = (error: unknown): boolean =>
  error instanceof SluiceError && noConnection.has(String(error.details['native'] ?? ''))
