// A process of the rig that is kept running. Each start may be armed with one failpoint, which ends it there.
//
// K1  It is started again as soon as it ended, whoever ended it, until stop().
// K2  Every end is told with its cause: the failpoint it was armed with, or the signal that somebody sent.

import { createWriteStream } from 'node:fs'
import { spawnGuarded, type GuardedChild } from '../../../local/guard/index.ts'
import { until } from '../../support/until.ts'

export interface KeptProcessOptions {
  readonly name: string
  readonly script: string
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
  readonly folder: string
  /** Resolves true when the process takes work. */
  readonly ready: (lines: readonly string[]) => Promise<boolean>
  /** Failpoints, one for each start: `point=kill@N`. */
  readonly arms: readonly string[]
  readonly onEnd: (end: ProcessEnd) => void
}

export interface ProcessEnd {
  readonly name: string
  readonly pid: number
  /** The failpoint, or what was done to it. */
  readonly cause: string
  readonly at: number
}

export interface KeptProcess {
  readonly name: string
  readonly pid: () => number
  /** Failpoints that have not fired, the armed one included. */
  readonly armsLeft: () => number
  start(): Promise<void>
  /** SIGKILL from outside; the process starts again. */
  kill(cause: string): void
  signal(signal: 'SIGSTOP' | 'SIGCONT' | 'SIGUSR2'): void
  stop(): Promise<void>
}

const readyWithinMs = 90_000
const killedCode = 137

export function createKeptProcess(options: KeptProcessOptions): KeptProcess {
  const { name, script, cwd, folder, ready, onEnd } = options
  const log = createWriteStream(`${folder}/${name}.log`, { flags: 'a' })
  const arms = [...options.arms]
  let lines: string[] = []
  let child: GuardedChild | undefined
  let cause: string | undefined
  let stopping = false

  async function launch(): Promise<void> {
    const [arm] = arms
    const env = arm === undefined ? options.env : { ...options.env, SLUICE_FAILPOINTS: arm }
    lines = []
    cause = undefined
    const args = ['--report-on-signal', `--report-directory=${folder}`, '--disable-warning=ExperimentalWarning', script]
    const started = await spawnGuarded({
      file: process.execPath,
      args,
      env,
      cwd,
      stopSignal: 'SIGTERM',
      onLine: (line) => {
        if (lines.push(line) > 50) lines.shift()
        log.write(`${line}\n`)
      },
    })
    child = started
    void keep(started, arm).catch((error: unknown) => log.write(`not started: ${String(error)}\n`))
  }

  async function keep(started: GuardedChild, arm: string | undefined): Promise<void> {
    const code = await started.exited
    const at = Date.now()
    const byFailpoint = cause === undefined && code === killedCode && arm !== undefined
    if (byFailpoint) arms.shift()
    if (stopping) return
    onEnd({ name, pid: started.pid, cause: cause ?? (byFailpoint ? arm : `code ${code}`), at })
    await launch()
  }

  return {
    name,
    pid: () => child?.pid ?? 0,
    armsLeft: () => arms.length,
    start: async () => {
      await launch()
      await until(`${name} is ready`, () => ready(lines), { limitMs: readyWithinMs, everyMs: 100 }).catch(
        (error: unknown) => {
          throw new Error(`${String(error)}\n${lines.slice(-5).join('\n')}`)
        },
      )
    },
    kill: (why) => {
      cause = why
      arms.shift()
      child?.kill('SIGKILL')
    },
    signal: (signal) => void child?.kill(signal),
    stop: async () => {
      stopping = true
      child?.kill('SIGCONT')
      await child?.stop({ limitMs: 6_000 })
      await new Promise<void>((resolve) => log.end(() => resolve()))
    },
  }
}
