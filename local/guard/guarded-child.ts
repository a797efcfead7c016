// A child process that cannot outlive its parent, even one that ends by SIGKILL.
//
// A shell stands between the two. It starts the program, tells the parent the program's own pid, and holds the reading end of
// a pipe (the lifeline) whose writing end is the parent's. When the parent ends, for whatever reason, the pipe closes and the
// shell ends the program.
//
// G1  The program is in a session of its own: Ctrl-C reaches the parent only, which decides the order in which things stop.
// G2  stop() resolves within limitMs + 2 s: first the polite signal, then SIGKILL. Any number of calls, in any phase.
// G3  `exited` never rejects. A program ended by signal n reports code 128 + n, as shells do.

import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { SluiceError } from '../../shared/errors/index.ts'
import { systemClock, type Clock } from '../../shared/time/index.ts'

export interface GuardedChildOptions {
  readonly file: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly cwd?: string
  /** Account to run as. Only root may name one. */
  readonly uid?: number
  readonly gid?: number
  /** The polite signal, sent by stop() and when the parent is gone. */
  readonly stopSignal: 'SIGINT' | 'SIGTERM'
  /** Gets each line the program writes, without its line break. */
  readonly onLine?: (line: string, stream: 'stdout' | 'stderr') => void
}

export interface GuardedChild {
  /** The program's own process id. */
  readonly pid: number
  readonly exited: Promise<number>
  /** Sends a signal to the program; false when it is gone. */
  kill(signal: NodeJS.Signals): boolean
  /** Ends the program: the polite signal, and SIGKILL after `limitMs`. Resolves with the exit code. */
  stop(options: { readonly limitMs: number }): Promise<number>
}

const graceAfterParentSeconds = 10

// File descriptors: 0 the lifeline, 3 where the program's pid is told. `wait` returns early when a trap runs, hence the loop.
const guardScript = `
exec 5<&0 </dev/null
signal=$1; shift
"$@" 3>&- 5<&- & program=$!
echo "$program" >&3; exec 3>&-
( read -r _ <&5; kill -s "$signal" "$program"; sleep ${graceAfterParentSeconds}; kill -s KILL "$program" ) >/dev/null 2>&1 & watcher=$!
exec 5<&-
trap 'kill -s "$signal" "$program"' INT TERM HUP
while :; do wait "$program"; code=$?; kill -0 "$program" 2>/dev/null || break; done
kill "$watcher" 2>/dev/null
exit "$code"
`

/** Starts the program; resolves when it has a pid, which is before it is ready for anything. */
export async function spawnGuarded(
  options: GuardedChildOptions,
  { clock = systemClock }: { readonly clock?: Clock } = {},
): Promise<GuardedChild> {
  const { file, args, env, cwd, uid, gid, stopSignal, onLine } = options
  const guard = spawn('/bin/sh', ['-c', guardScript, 'guard', stopSignal.slice(3), file, ...args], {
    env,
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
    ...(cwd === undefined ? {} : { cwd }),
    ...(uid === undefined ? {} : { uid }),
    ...(gid === undefined ? {} : { gid }),
  })
  guard.stdin.on('error', () => {}) // the guard may go first
  for (const stream of ['stdout', 'stderr'] as const) {
    const lines = createInterface({ input: guard[stream] })
    lines.on('line', (line) => onLine?.(line, stream))
  }
  const exited = new Promise<number>((resolve) => {
    guard.once('exit', (code) => resolve(code ?? 1))
    guard.once('error', () => resolve(127))
  })
  const pid = await programPid(file, guard.stdio[3] as Readable, guard)
  let running = true
  void exited.then(() => (running = false))

  const kill = (signal: NodeJS.Signals): boolean => running && sendSignal(pid, signal)
  return {
    pid,
    exited,
    kill,
    stop: async ({ limitMs }) => {
      kill(stopSignal)
      const timer = clock.after(limitMs, () => kill('SIGKILL'))
      try {
        return await exited
      } finally {
        timer.cancel()
      }
    },
  }
}

function programPid(file: string, stream: Readable, guard: ReturnType<typeof spawn>): Promise<number> {
  return new Promise((resolve, reject) => {
    const fail = (cause?: unknown): void =>
      reject(new SluiceError('start_failed', `${file} could not be started`, { cause }))
    guard.once('error', fail)
    createInterface({ input: stream })
      .once('line', (line) => resolve(Number(line)))
      .once('close', () => fail())
  })
}

function sendSignal(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal)
  } catch {
    return false
  }
}
