// The way out of a service.
//
// Work does not wait for a dependency that is down: its connections are closed, and what waits for them ends at once.
//
//   unready ──delay──▶ loops stop, in-flight work ends ──▶ own outbox rows flushed ──▶ telemetry flushed ──▶ streams closed
//                     ──▶ components stopped in reverse order
//
// Each step has its part of the budget; one that fails or hangs costs its part and does not keep the later ones from running.

import { runDrain, type DrainReceipt, type DrainStep, type RunningComponents } from '../lifecycle/index.ts'
import type { Instruments, Logger, Tracing } from '../telemetry/index.ts'
import type { Clock } from '../time/index.ts'
import type { Entry } from './entry.ts'
import type { DrainedWork } from './receiver/drained-work.ts'

export interface DrainOptions {
  readonly totalMs: number
  readonly entry: Entry
  readonly running: RunningComponents
  readonly clock: Clock
  readonly log: Logger
  readonly instruments: Instruments
  readonly tracing: Pick<Tracing, 'flush'>
  readonly unready: () => void
  /** From `unready` to `begin`. */
  readonly delayMs: number
  readonly begin: () => void
  /** Lets go of what is down. Called now and then while work ends. */
  readonly giveUpDown: () => Promise<void>
}

/** Part of the budget that in-flight work may use; the rest is for releasing, flushing and closing. */
const workShare = 0.8
/** Part of the budget after which work that cannot even be released, or a loop that does not stop, is left behind. */
const releaseShare = 0.9
/** Part of what is left then that a collector which does not answer may cost. */
const flushShare = 0.1
/** In milliseconds. */
const lookEveryMs = 250
/** Part of what is left at the end that the stop of one component may use. */
const stopShare = 0.25

export async function drainService(options: DrainOptions): Promise<DrainReceipt> {
  const { totalMs, entry, running, clock, log, instruments, tracing, unready, delayMs, begin, giveUpDown } = options
  const { server, loops, outbox } = entry
  const begun = clock.monotonic()
  let work: DrainedWork = { finished: [], released: [] }
  let taken: readonly string[] = []
  let flushedEvents = 0

  const leftMs = (): number => totalMs - (clock.monotonic() - begun)
  const finishWork = async (signal: AbortSignal): Promise<void> => {
    const ended = new AbortController()
    const looking = lookForDown(ended.signal)
    const stopping = Promise.allSettled(loops.toReversed().map((loop) => loop.stop()))
    try {
      work = await server.drain(signal)
      const failure = (await stopping).find(({ status }) => status === 'rejected')
      if (failure?.status === 'rejected') throw failure.reason
    } finally {
      ended.abort()
      await looking
    }
  }
  const lookForDown = async (ended: AbortSignal): Promise<void> => {
    while (!ended.aborted) {
      await clock.sleep(lookEveryMs, ended).catch(() => undefined)
      if (!ended.aborted) await giveUpDown()
    }
  }
  /** Even when it cannot be handed back, as it waits for a database that does not answer. */
  const leaveWork = (): void => {
    const released = server.unfinished()
    work = { finished: taken.filter((id) => !released.includes(id)), released }
  }
  const flushOutbox = async (): Promise<void> => {
    const before = await publishedEvents(instruments)
    await outbox?.stop()
    flushedEvents = (await publishedEvents(instruments)) - before
  }
  const flushTelemetry = async (): Promise<void> => {
    log.flush()
    await tracing.flush(leftMs() * flushShare)
  }
  const steps: DrainStep[] = [
    { name: 'unready', run: unready },
    { name: 'delay', run: async (signal) => (delayMs > 0 ? await clock.sleep(delayMs, signal) : undefined) },
    { name: 'begin', run: begin },
    {
      name: 'work',
      withinMs: totalMs * releaseShare,
      run: (signal) => {
        taken = server.unfinished()
        signal.addEventListener('abort', leaveWork, { once: true })
        return withSignal(totalMs * workShare, finishWork)
      },
    },
    { name: 'outbox', run: flushOutbox },
    { name: 'telemetry', run: flushTelemetry },
    { name: 'streams', run: () => server.closeStreams() },
    { name: 'components', run: () => running.stop({ eachMs: Math.max(50, leftMs() * stopShare) }) },
  ]
  const { failed: failedSteps, timedOut } = await runDrain(steps, { totalMs }, { clock, log })
  return { ...work, flushedEvents, failedSteps, timedOut, seconds: (clock.monotonic() - begun) / 1_000 }

  async function withSignal(ms: number, run: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const expired = new AbortController()
    const timer = clock.after(ms, () => expired.abort())
    try {
      await run(expired.signal)
    } finally {
      timer.cancel()
    }
  }
}

const publishedEvents = async ({ outboxPublished }: Pick<Instruments, 'outboxPublished'>): Promise<number> =>
  (await outboxPublished.get()).values.reduce((sum, { value }) => sum + value, 0)
