// Keeps a function's events from a dependency whose breaker is open: they wait in their lanes, at no attempt, and one goes
// first when the dependency may be back.
//
//   closed: every run goes ──▶ open: none goes ──▶ half open: one goes, the others wait ──▶ closed: all that wait are due
//
// G1  While the breaker is half open, one event at a time is let through. The end of its run lets the next one go, unless the
//     breaker has closed (then all go) or opened (then none does).
// G2  Nobody waits for ever for a word that is not said, because the process that would say it may be gone: a waiting lane
//     looks by itself after a while. While the breaker is open its handler runs then, so that it can end what has become too
//     old to wait; the breaker refuses the call.
// G3  The breaker is this process's. Another process with a closed one goes on.

import type { Database } from '../../database/index.ts'
import { messageOf, SluiceError } from '../../errors/index.ts'
import type { Circuit } from '../../resilience/index.ts'
import type { Logger } from '../../telemetry/index.ts'
import { endWait } from '../lanes/end-wait.ts'

export interface CircuitGate {
  enter(): Passage
  /** The breaker that refused the run which failed with this error. */
  refusing(error: unknown): Circuit | undefined
  /** Longest wait of a lane before it looks by itself, in milliseconds. Spread, so that they do not all look at once. */
  lookMs(): number
  /** A lane has begun to wait; what it waits for may have come in the meantime. */
  waits(circuit: Circuit): void
}

export type Passage =
  /** `mayLook`: an event that has waited before may run. */
  | { readonly kind: 'wait'; readonly error: SluiceError; readonly mayLook: boolean }
  | {
      readonly kind: 'go'
      /** The breaker that this run was to probe and that is open again: the event is not at fault. */
      readonly reopened: () => Circuit | undefined
      /** Call it when the run is over and its end is recorded. */
      readonly leave: () => void
    }

export interface CircuitGateDeps {
  readonly circuits?: readonly Circuit[]
  readonly database: Database
  readonly log: Logger
  readonly random: () => number
}

const shortestLookMs = 30_000
const longestLookMs = 40_000
const everyLane = Number.POSITIVE_INFINITY

export function createCircuitGate(
  { function: name }: { readonly function: string },
  { circuits = [], database, log, random }: CircuitGateDeps,
): CircuitGate {
  const probed = new Set<Circuit>()

  const isBlocked = (circuit: Circuit): boolean =>
    circuit.state() === 'open' || (circuit.state() === 'half-open' && probed.has(circuit))

  /** As many as may go now. */
  function letGo(circuit: Circuit): void {
    if (isBlocked(circuit)) return
    const most = circuit.state() === 'closed' ? everyLane : 1
    endWait(database, { function: name, waitsFor: circuit.dependency, most }).catch((error: unknown) => {
      log.warn({ dependency: circuit.dependency, reason: messageOf(error) }, 'waiting lanes were not told')
    })
  }

  for (const circuit of circuits) circuit.onChange(() => letGo(circuit))

  function probe(chosen: readonly Circuit[]): Passage {
    for (const circuit of chosen) probed.add(circuit)
    return {
      kind: 'go',
      reopened: () => chosen.find((circuit) => circuit.state() === 'open'),
      leave: () => {
        for (const circuit of chosen) {
          probed.delete(circuit)
          if (circuit.state() === 'half-open') letGo(circuit)
        }
      },
    }
  }

  return {
    enter: () => {
      const blocked = circuits.find(isBlocked)
      return blocked === undefined
        ? probe(circuits.filter((circuit) => circuit.state() === 'half-open'))
        : { kind: 'wait', error: keepsFailing(blocked), mayLook: blocked.state() === 'open' }
    },
    refusing: (error) => {
      if (!(error instanceof SluiceError) || error.code !== 'circuit_open') return undefined
      const { dependency } = error.details
      return circuits.find((circuit) => circuit.dependency === dependency && circuit.state() !== 'closed')
    },
    lookMs: () => Math.round(shortestLookMs + random() * (longestLookMs - shortestLookMs)),
    waits: letGo,
  }
}

const keepsFailing = ({ dependency }: Circuit): SluiceError =>
  new SluiceError('circuit_open', `${dependency} keeps failing; the event waits until it is back`, {
    details: { dependency },
  })
