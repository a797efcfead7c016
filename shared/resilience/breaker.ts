// A circuit breaker and bulkhead around one dependency (opossum). Create it once, where the dependency is created: a
// breaker per call counts nothing.
//
//   closed ──half of ≥ volumeThreshold calls failed──▶ open ──resetMs──▶ half open ──probe──▶ closed, or open again
//          └─volumeThreshold calls failed in a row──┘      (soon after one another)
//
// B1  Every call has a time limit, so the probe of a half-open breaker always ends and the breaker never stays half open
//     (opossum without `timeout` rejects for ever when a probe hangs).
// B2  A call that runs out of time is aborted by its own signal. opossum's one `abortController` is not used: it would
//     abort every other call of the dependency along with the slow one.
// B3  Callers' mistakes and a full bulkhead are not failures of the dependency.
// B4  A dependency that dies under load is given up after `volumeThreshold` calls: in the window its earlier successes would
//     outweigh the failures for half of the window. Calls that are rare tell nothing of that: silence ends the row.
// B5  A probe that says nothing about the dependency – cancelled, refused on our side – decides nothing: the next call
//     is the probe.

import CircuitBreaker from 'opossum'
import { SluiceError, type ErrorCode } from '../errors/index.ts'
import type { Dependency, Instruments } from '../telemetry/index.ts'
import type { Clock } from '../time/index.ts'
import { createListeners, type Circuit, type CircuitState } from './circuit.ts'

export interface BreakerOptions {
  /** Name for metrics and messages. */
  readonly dependency: Dependency
  /** Longest call in milliseconds. A backstop: the work has its own, shorter limits. */
  readonly timeoutMs: number
  /** Calls at the same time; more are refused with `overloaded`. */
  readonly capacity: number
  /** Calls within `windowMs` below which the breaker does not open; and so many failures in a row, soon after one another, open it. Default 10. */
  readonly volumeThreshold?: number
  /** Default 50. */
  readonly failurePercent?: number
  /** Window over which calls are counted. Default 10 000. */
  readonly windowMs?: number
  /** From open to half open. Default 10 000. */
  readonly resetMs?: number
  /** What an error says about the dependency. Default: `judgeError`. */
  readonly judge?: (error: unknown) => Judgement
}

/** `fault`: it is broken · `answered`: it works, and refused this call · `neutral`: the call never asked it. */
export type Judgement = 'fault' | 'answered' | 'neutral'

export interface BreakerCall {
  /** Aborts when the caller's signal does and when the call runs out of time. */
  readonly signal: AbortSignal
  /** The dependency answers: a half-open breaker closes now, not at the end of a long answer. */
  readonly alive: () => void
}

interface RunOptions {
  readonly signal?: AbortSignal
}

export interface Breaker extends Circuit {
  /** @throws SluiceError `circuit_open` (with `retryAfterMs`), `overloaded`, `dependency_timeout`, or what `work` throws. */
  run<T>(work: (call: BreakerCall) => Promise<T>, options?: RunOptions): Promise<T>
  /** Forgets its timers. Calls are refused afterwards. */
  stop(): void
}

interface Attempt {
  readonly work: (call: BreakerCall) => Promise<unknown>
  readonly outOfTime: AbortController
  readonly signal: AbortSignal
}

/** A failure that ends later than a call may take and this after the one before it begins a new row, in milliseconds. */
const rowGapMs = 60_000

export function createBreaker(
  options: BreakerOptions,
  { clock, instruments }: { readonly clock: Clock; readonly instruments: Instruments },
): Breaker {
  const { dependency, volumeThreshold = 10, resetMs = 10_000, judge = judgeError } = options
  let halfOpenAt = 0
  let faultsInARow = 0
  let lastFaultAt = 0
  const alive = (): void => {
    if (circuit.halfOpen) circuit.close()
  }
  const settings: CircuitBreaker.Options<[Attempt]> = {
    name: dependency,
    timeout: options.timeoutMs,
    capacity: options.capacity,
    volumeThreshold,
    errorThresholdPercentage: options.failurePercent ?? 50,
    rollingCountTimeout: options.windowMs ?? 10_000,
    resetTimeout: resetMs,
    // A filtered error counts as a success, and a success closes a half-open breaker. So there a neutral one is let
    // through as a failure that reopens the breaker for a millisecond only (opossum reads the option when it opens).
    errorFilter: (error: unknown) => {
      const judgement = isOutOfTime(error) ? 'fault' : isBulkheadFull(error) ? 'neutral' : judge(error)
      if (judgement === 'answered') faultsInARow = 0
      if (judgement !== 'neutral' || !circuit.halfOpen) return judgement !== 'fault'
      settings.resetTimeout = 1
      return false
    },
    rollingPercentilesEnabled: false,
    enableSnapshots: false,
  }
  const circuit = new CircuitBreaker<[Attempt]>(({ work, signal }) => work({ signal, alive }), settings)
  const listeners = createListeners()
  const show = (state: CircuitState): void => {
    instruments.breakerState.set({ dependency }, shownAs[state])
    listeners.tell(state)
  }
  show('closed')
  instruments.breakerOpenings.inc({ dependency }, 0) // first seen at 1 it would not have risen
  circuit.on('open', () => {
    halfOpenAt = clock.monotonic() + (settings.resetTimeout ?? resetMs)
    if (settings.resetTimeout === resetMs) instruments.breakerOpenings.inc({ dependency })
    settings.resetTimeout = resetMs
    show('open')
  })
  circuit.on('failure', () => {
    const now = clock.monotonic()
    faultsInARow = now - lastFaultAt > options.timeoutMs + rowGapMs ? 1 : faultsInARow + 1
    lastFaultAt = now
    if (faultsInARow >= volumeThreshold && circuit.closed) circuit.open()
  })
  circuit.on('halfOpen', () => show('half-open'))
  circuit.on('close', () => show('closed'))
  circuit.on('timeout', ((_error: Error, _latencyMs: number, [attempt]: [Attempt]) => {
    attempt.outOfTime.abort(tooSlow(options))
  }) as (error: Error) => void) // @types/opossum leaves out the arguments after the error

  const refusal = (error: Error): SluiceError => {
    const isFull = isBulkheadFull(error)
    instruments.breakerRejections.inc({ dependency, reason: isFull ? 'full' : 'open' })
    if (isFull) return new SluiceError('overloaded', `${dependency}: ${options.capacity} calls run already`)
    const retryAfterMs = Math.max(0, Math.ceil(halfOpenAt - clock.monotonic()))
    return new SluiceError('circuit_open', `${dependency} keeps failing; it is not called for a while`, {
      retryAfterMs,
      details: { dependency },
    })
  }

  return {
    dependency,
    onChange: listeners.add,
    run: async <T>(work: (call: BreakerCall) => Promise<T>, { signal: parent }: RunOptions = {}): Promise<T> => {
      parent?.throwIfAborted()
      const outOfTime = new AbortController()
      const signal = parent === undefined ? outOfTime.signal : AbortSignal.any([parent, outOfTime.signal])
      try {
        const result = (await circuit.fire({ work, outOfTime, signal })) as T
        faultsInARow = 0
        return result
      } catch (error) {
        if (!(error instanceof Error) || !CircuitBreaker.isOurError(error)) throw error
        throw isOutOfTime(error) ? tooSlow(options) : refusal(error)
      }
    },
    state: () => (circuit.halfOpen ? 'half-open' : circuit.opened ? 'open' : 'closed'),
    stop: () => circuit.shutdown(),
  }
}

const shownAs = { closed: 0, 'half-open': 1, open: 2 } as const satisfies Record<CircuitState, number>

const neutralCodes = new Set<ErrorCode>([
  'aborted',
  'deadline_exceeded',
  'overloaded',
  'circuit_open',
  'blocked_address',
  'blocked_url',
])

/** Retryable errors are faults, except cancellations, and except 429: a limit is an answer and brings its own pause. */
function judgeError(error: unknown): Judgement {
  if (!(error instanceof SluiceError)) return 'fault'
  if (neutralCodes.has(error.code)) return 'neutral'
  return error.retryable && error.code !== 'model_rate_limited' ? 'fault' : 'answered'
}

const codeOfOwn = (error: unknown): unknown =>
  error instanceof Error && CircuitBreaker.isOurError(error) && 'code' in error ? error.code : undefined
const isOutOfTime = (error: unknown): boolean => codeOfOwn(error) === 'ETIMEDOUT'
const isBulkheadFull = (error: unknown): boolean => codeOfOwn(error) === 'ESEMLOCKED'
const tooSlow = ({ dependency, timeoutMs }: BreakerOptions): SluiceError =>
  new SluiceError('dependency_timeout', `${dependency} did not answer within ${timeoutMs} ms`)
