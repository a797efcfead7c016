// The life of a process, and the only user of process.exit.
//
//   starting ──started──▶ serving ──signal or fault──▶ draining ──drained──▶ closed, exit 0
//      │                                                  │
//      ├ failed: one readable line, exit 1                ├ something ran out of its time, or a fault: exit 1
//      └ signal: unwound, exit 0                          └ SHUTDOWN_TIMEOUT_MS spent: unfinished ids logged, exit 1
//
// P1  Exactly one exit, with everything logged before it flushed. A drained process ends by itself, having nothing left to wait
//     for; what keeps it alive against that is logged, and the process is ended.
// P2  From the first signal to the exit pass at most `shutdownTimeoutMs`, whatever hangs.

import { messageOf, SluiceError } from '../errors/index.ts'
import type { Logger } from '../telemetry/index.ts'
import type { Clock } from '../time/index.ts'
import type { DrainReceipt } from './drain.ts'
import { listenForStopRequests, type StopRequest } from './stop-requests.ts'

/** A started service, as the process sees it. */
export interface RunningService {
  readonly log: Logger
  /** Time from the request to stop to the hard stop, in milliseconds. */
  readonly shutdownTimeoutMs: number
  readonly shutdownSeconds: { observe(seconds: number): void }
  /** Ends everything but what tells of the process, within `totalMs`. Never rejects. */
  drain(options: { readonly totalMs: number }): Promise<DrainReceipt>
  /** Ends that too, after it had its chance to tell how the drain went. */
  close(options: { readonly withinMs: number }): Promise<void>
  /** Ids of the work still running. */
  unfinished(): readonly string[]
}

export interface ProcessOptions {
  /** Names the process in the line that a failed start prints. */
  readonly name: string
}

/** A fault leaves the process in an unknown state: what runs may end, but not for long. */
const faultDrainMs = 5_000
/** What a start that a signal interrupts may take to unwind. */
const unwindMs = 2_000
/** Kept back from the budget, so that the drain ends before the hard stop. */
const reserve = (totalMs: number): number => Math.min(250, totalMs * 0.1)

/** What still keeps a drained process alive after so long is a leak; the last retries of clients are over by then. In milliseconds. */
const lingerMs = 3_000

/** Runs `start` and then the service until a signal or a fault ends it. Resolves never: the process exits. */
export async function runProcess(
  { name }: ProcessOptions,
  start: (signal: AbortSignal) => Promise<RunningService>,
  { clock }: { readonly clock: Clock },
): Promise<void> {
  const starting = new AbortController()
  const requested = Promise.withResolvers<StopRequest>()
  const running: { log?: Logger } = {}
  const stopListening = listenForStopRequests({
    onRequest: (request) => {
      requested.resolve(request)
      starting.abort(new SluiceError('aborted', 'asked to stop while starting'))
    },
    onFurtherFault: (error) => running.log?.error(describeFault(error), 'a fault during shutdown'),
  })

  const started = await settle(() => start(starting.signal), starting.signal, clock)
  if ('error' in started) {
    if (!starting.signal.aborted) printFailure(name, started.error)
    const request = starting.signal.aborted ? await requested.promise : undefined
    if (request?.kind === 'fault') printFailure(name, request.error)
    return process.exit(request?.kind === 'signal' ? 0 : 1)
  }
  const { service } = started // also when a signal came in its last moment: then it drains at once
  running.log = service.log
  const request = await requested.promise
  const clean = await endService(service, request, clock)
  service.log.flush()
  if (!clean) return process.exit(1) // what was left behind still holds its timers and sockets
  stopListening()
  nameWhatLingers({ clock, log: service.log })
}

type Started = { readonly service: RunningService } | { readonly error: unknown }

/** The end of the start. When `signal` aborts it, the unwinding gets a moment and is then left behind. */
async function settle(start: () => Promise<RunningService>, signal: AbortSignal, clock: Clock): Promise<Started> {
  const begun = (async () => start())() // also what start throws at once is a failed start
  const settled = begun.then(
    (service): Started => ({ service }),
    (error: unknown): Started => ({ error }),
  )
  const abandoned = Promise.withResolvers<Started>()
  let patience = { cancel: (): void => undefined }
  const onAbort = (): void => {
    patience = clock.after(unwindMs, () => abandoned.resolve({ error: signal.reason }))
  }
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([settled, abandoned.promise])
  } finally {
    signal.removeEventListener('abort', onAbort)
    patience.cancel()
  }
}

/** Resolves with true when nothing was left behind and nobody was at fault. */
async function endService(service: RunningService, request: StopRequest, clock: Clock): Promise<boolean> {
  const { log } = service
  const begun = clock.monotonic()
  const totalMs =
    request.kind === 'signal' ? service.shutdownTimeoutMs : Math.min(faultDrainMs, service.shutdownTimeoutMs)
  if (request.kind === 'fault')
    log.error({ source: request.source, ...describeFault(request.error) }, 'a fault nobody caught ends the process')
  else log.info({ signal: request.signal, shutdown_timeout_ms: totalMs }, 'shutdown begins')

  const limit = clock.after(totalMs, () => {
    log.error({ code: 'deadline_exceeded', unfinished: service.unfinished() }, 'shutdown timed out')
    log.flush()
    process.exit(1)
  })
  const receipt = await service.drain({ totalMs: totalMs - reserve(totalMs) })
  const seconds = (clock.monotonic() - begun) / 1_000
  service.shutdownSeconds.observe(seconds)
  const clean = request.kind === 'signal' && receipt.released.length === 0 && !receipt.timedOut
  // After this the metric is there to be scraped.
  await service.close({ withinMs: totalMs - reserve(totalMs) - seconds * 1_000 })
  limit.cancel()
  const { finished, released, flushedEvents: flushed_events, failedSteps: failed_steps } = receipt
  log[clean ? 'info' : 'error']({ finished, released, flushed_events, failed_steps, seconds }, 'shutdown complete')
  return clean
}

function nameWhatLingers({ clock, log }: { readonly clock: Clock; readonly log: Logger }): void {
  const linger = (): void => {
    log.error({ open: process.getActiveResourcesInfo() }, 'open handles keep the process alive; it is ended')
    log.flush()
    process.exit(0)
  }
  clock.after(lingerMs, linger, { unref: true })
}

const describeFault = (error: unknown): Record<string, unknown> => ({
  code: error instanceof SluiceError ? error.code : 'internal',
  reason: messageOf(error),
  stack: error instanceof Error ? error.stack : undefined,
})

// One line for a person. Whoever started the process reads it in a terminal or as the last line of a container's log.
function printFailure(name: string, error: unknown): void {
  const code = error instanceof SluiceError ? error.code : 'start_failed'
  const why = `${code}: ${messageOf(error)}`.replaceAll(/\s+/g, ' ')
  process.stderr.write(`${name} could not start: ${why}\n`)
}
