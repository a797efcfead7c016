// Asks the dependencies of a function, over and over, in the background, and remembers what they said. Whoever wants to know
// reads the last verdict and waits for nothing.
//
// P1  A probe ends after `timeoutMs`, and of each there is one under way at most: a dependency that hangs holds one connection,
//     not one more every second.
// P2  The first answer is the verdict. After that it takes `rounds` answers in a row to change it, so one lost ping does not.
// P3  Dependencies that are needed are asked every `everyMs` and awaited by the round. The others only inform; they are asked
//     every `informEveryMs`, since some of them are paid for, and nothing waits for them.

import { errorLabel, SluiceError } from '../../errors/index.ts'
import type { ComponentHealth } from '../../lifecycle/index.ts'
import { createDeadline, type Clock } from '../../time/index.ts'

export interface Probe {
  readonly name: string
  /** Is the function ready only while this answers? */
  readonly needed: boolean
  check(signal: AbortSignal): Promise<void>
  /** Ends its connections, and with them whatever waits for an answer. For a drain: work cannot end with what is gone. */
  giveUp?(): Promise<void>
}

export interface ProbingOptions {
  readonly everyMs: number
  readonly informEveryMs: number
  readonly timeoutMs: number
  readonly rounds: number
}

export interface Verdict {
  readonly status: ComponentHealth['status']
  /** Wall clock, milliseconds since the epoch, of the last answer; undefined before the first. */
  readonly at?: number
  /** The last time that it failed, also when it answers again. */
  readonly lastError?: { readonly label: string; readonly at: number }
}

export interface Probing {
  /** Resolves when every dependency that is needed was asked once. */
  start(): Promise<void>
  stop(): void
  verdictOf(probe: Probe): Verdict
}

export interface ProbingDeps {
  readonly clock: Clock
  readonly probes: readonly Probe[]
  /** Told after each round in which all that is needed answered. */
  readonly onAllUp: () => void
}

/** A check that has not settled for so long, its signal aborted long since, is given up for lost. In milliseconds. */
const lostAfterMs = 60_000

interface Entry {
  readonly probe: Probe
  verdict: Verdict
  /** Answers in a row that disagreed with the verdict. */
  against: number
  /** Monotonic, of the last question. */
  askedAtMs: number
  unsettled: boolean
}

export function createProbing(options: ProbingOptions, { clock, probes, onAllUp }: ProbingDeps): Probing {
  const { everyMs, informEveryMs, timeoutMs, rounds } = options
  const entries = probes.map((probe): Entry => ({
    probe,
    verdict: { status: 'unknown' },
    against: 0,
    askedAtMs: -Infinity,
    unsettled: false,
  }))
  const needed = entries.filter(({ probe }) => probe.needed)
  const informing = entries.filter(({ probe }) => !probe.needed)
  let timer = { cancel: (): void => undefined }
  let stopped = false

  async function ask(entry: Entry): Promise<boolean> {
    try {
      await checkOnce(entry)
      judge(entry, undefined)
      return true
    } catch (error) {
      judge(entry, errorLabel(error))
      return false
    }
  }

  async function checkOnce(entry: Entry): Promise<void> {
    const now = clock.monotonic()
    if (entry.unsettled && now - entry.askedAtMs < lostAfterMs)
      throw new SluiceError('dependency_timeout', `${entry.probe.name} has not answered the probe before this one`)
    entry.askedAtMs = now
    entry.unsettled = true
    const deadline = createDeadline({ ms: timeoutMs, what: `probe of ${entry.probe.name}` }, { clock })
    const late = Promise.withResolvers<never>()
    deadline.signal.addEventListener('abort', () => late.reject(deadline.signal.reason as Error), { once: true })
    const checking = (async () => entry.probe.check(deadline.signal))().finally(() => (entry.unsettled = false))
    try {
      await Promise.race([checking, late.promise])
    } finally {
      deadline.cancel()
    }
  }

  function judge(entry: Entry, failure: string | undefined): void {
    const at = clock.now()
    const seen = failure === undefined ? 'up' : 'down'
    const { status } = entry.verdict
    entry.against = status === seen ? 0 : entry.against + 1
    const changes = status === 'unknown' || entry.against >= rounds
    if (changes) entry.against = 0
    const lastError = failure === undefined ? entry.verdict.lastError : { label: failure, at }
    entry.verdict = { status: changes ? seen : status, at, ...(lastError === undefined ? {} : { lastError }) }
  }

  async function round(): Promise<void> {
    for (const entry of informing) {
      if (clock.monotonic() - entry.askedAtMs >= informEveryMs) void ask(entry)
    }
    const answers = await Promise.all(needed.map(ask))
    if (answers.every(Boolean)) onAllUp()
    if (!stopped) timer = clock.after(everyMs, () => void round(), { unref: true })
  }

  return {
    start: round,
    stop: () => {
      stopped = true
      timer.cancel()
    },
    verdictOf: (probe) => entries.find((entry) => entry.probe === probe)?.verdict ?? { status: 'unknown' },
  }
}
