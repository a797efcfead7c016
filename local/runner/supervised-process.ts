// One function as a process that is kept running.
//
//   idle ──start()──▶ starting ──/ready──▶ ready ──ends──▶ waiting ──back-off──▶ starting …
//                         └──────── stop(), from any state: SIGTERM, then SIGKILL ────────▶ stopped
//
// R1  A process that ends is started again: at once after its first end, then with a doubling wait.
// R2  The very first start must become ready; when it ends before, start() throws with its last words.
// R3  stop() resolves when the process is gone, within `stopWithinMs` + 2 s. The process cannot outlive this one (local/guard).

import { constants } from 'node:os'
import { SluiceError } from '../../shared/errors/index.ts'
import type { Clock } from '../../shared/time/index.ts'
import { spawnGuarded, type GuardedChild } from '../guard/index.ts'
import { createLastWords } from './last-words.ts'
import { openLogFile, type LogFile } from './log-file.ts'
import { waitUntilReady } from './readiness.ts'

export interface ProcessSpec {
  /** The function's name; further instances have a suffix: gateway-2. */
  readonly name: string
  /** The function whose code it runs. */
  readonly function: string
  readonly file: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** Added in the first run only: a crash test's failpoint must not fire again after the restart. */
  readonly firstRunEnv: Readonly<Record<string, string>>
  readonly cwd: string
  readonly readyUrl: string
  readonly logPath: string
  /** Longest polite stop, in milliseconds; then the process is killed. */
  readonly stopWithinMs: number
}

export type ProcessEvent =
  | { readonly kind: 'started'; readonly process: string; readonly pid: number }
  | { readonly kind: 'ready'; readonly process: string; readonly afterMs: number; readonly starts: number }
  /** It ended by itself, or somebody ended it. `how` is a signal or `code n`. */
  | {
      readonly kind: 'ended'
      readonly process: string
      readonly how: string
      readonly lastWords: string
      readonly restartInMs: number
    }
  | { readonly kind: 'restarting'; readonly process: string; readonly reason: string }

export interface SupervisedProcess {
  readonly spec: ProcessSpec
  /** Resolves when the process is ready for the first time. @throws SluiceError `start_failed` */
  start(signal: AbortSignal): Promise<void>
  /** Ends the process politely and starts it anew. */
  restart(reason: string): Promise<void>
  stop(): Promise<void>
  /** Process id of the present run; undefined between runs. */
  pid(): number | undefined
  isReady(): boolean
  kill(signal: NodeJS.Signals): boolean
}

export interface SupervisedProcessDeps {
  readonly clock: Clock
  readonly onEvent: (event: ProcessEvent) => void
}

const firstWaitMs = 100
const longestWaitMs = 5_000
/** A run that was ready for so long makes the next end a first end. */
const soundAfterMs = 10_000
const firstReadyWithinMs = 60_000

type Phase = 'idle' | 'starting' | 'ready' | 'waiting' | 'stopped'

export function createSupervisedProcess(
  spec: ProcessSpec,
  { clock, onEvent }: SupervisedProcessDeps,
): SupervisedProcess {
  const { name } = spec
  const stopping = new AbortController()
  let phase: Phase = 'idle'
  let child: GuardedChild | undefined
  let pause = new AbortController()
  let replacing = false
  let lastWords = ''
  let starts = 0
  let ends = 0
  let readyAt: number | undefined
  let supervision: Promise<void> = Promise.resolve()

  async function supervise(log: LogFile, first: PromiseWithResolvers<void>): Promise<void> {
    while (!stopping.signal.aborted) {
      const how = await run(log, first.resolve)
      if (stopping.signal.aborted) break
      if (starts === 1 && readyAt === undefined && !replacing) {
        const words = lastWords === '' ? '' : `: ${lastWords}`
        throw new SluiceError(
          'start_failed',
          `${name} ended before it was ready (${how})${words}. Log: ${spec.logPath}`,
        )
      }
      await pauseAfter(how)
    }
  }

  /** One run, from spawn to end. Says how it ended. */
  async function run(log: LogFile, onReady: () => void): Promise<string> {
    const { file, args, cwd } = spec
    const over = new AbortController()
    const words = createLastWords()
    const onLine = (line: string, stream: 'stdout' | 'stderr'): void => {
      log.write(line)
      if (stream === 'stderr') words.hear(line)
    }
    phase = 'starting'
    starts += 1
    const env = starts === 1 ? { ...spec.env, ...spec.firstRunEnv } : spec.env
    lastWords = ''
    readyAt = undefined
    const started = await spawnGuarded({ file, args, env, cwd, stopSignal: 'SIGTERM', onLine }, { clock })
    child = started
    if (stopping.signal.aborted) started.kill('SIGTERM')
    onEvent({ kind: 'started', process: name, pid: started.pid })
    const announced = announceReady(over.signal, onReady)
    const code = await started.exited
    child = undefined
    over.abort()
    await announced
    const how = howOf(code)
    lastWords = how.startsWith('SIG') ? '' : words.text() // of a signal the shell in between has its own word
    return how
  }

  async function announceReady(over: AbortSignal, onReady: () => void): Promise<void> {
    const begun = clock.monotonic()
    if (!(await waitUntilReady(spec.readyUrl, over, { clock }))) return
    phase = 'ready'
    readyAt = clock.monotonic()
    onEvent({ kind: 'ready', process: name, afterMs: Math.round(readyAt - begun), starts })
    onReady()
  }

  async function pauseAfter(how: string): Promise<void> {
    phase = 'waiting'
    if (replacing) {
      replacing = false
      ends = 0
      return
    }
    const sound = readyAt !== undefined && clock.monotonic() - readyAt > soundAfterMs
    ends = sound ? 1 : ends + 1
    const restartInMs = Math.min(longestWaitMs, firstWaitMs * 2 ** (ends - 1))
    pause = new AbortController()
    onEvent({ kind: 'ended', process: name, how, lastWords, restartInMs })
    await clock.sleep(restartInMs, AbortSignal.any([pause.signal, stopping.signal])).catch(() => undefined)
  }

  return {
    spec,
    pid: () => child?.pid,
    isReady: () => phase === 'ready',
    kill: (signal) => child?.kill(signal) ?? false,
    start: async (signal) => {
      const log = openLogFile(spec.logPath)
      const first = Promise.withResolvers<void>()
      const late = `${name} was not ready within ${firstReadyWithinMs / 1_000} s. Log: ${spec.logPath}`
      const timer = clock.after(firstReadyWithinMs, () => first.reject(new SluiceError('start_failed', late)))
      const onAbort = (): void => first.reject(signal.reason as Error)
      signal.addEventListener('abort', onAbort, { once: true })
      supervision = supervise(log, first)
        .catch((error: unknown) => first.reject(error))
        .finally(() => {
          phase = 'stopped'
          log.close()
          first.reject(new SluiceError('aborted', `${name} was stopped before it was ready`)) // if it ever was, this does nothing
        })
      try {
        await first.promise
      } finally {
        timer.cancel()
        signal.removeEventListener('abort', onAbort)
      }
    },
    restart: async (reason) => {
      if (stopping.signal.aborted) return
      onEvent({ kind: 'restarting', process: name, reason })
      if (child === undefined) {
        ends = 0
        pause.abort()
        return
      }
      replacing = true
      await child.stop({ limitMs: spec.stopWithinMs })
    },
    stop: async () => {
      stopping.abort(new SluiceError('aborted', 'the platform stops'))
      await child?.stop({ limitMs: spec.stopWithinMs })
      await supervision
    },
  }
}

/** Shells report a program ended by signal n with code 128 + n. */
function howOf(code: number): string {
  const signal = Object.entries(constants.signals).find(([, number]) => number === code - 128)?.[0]
  return signal ?? `code ${code}`
}
