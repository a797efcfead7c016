// A process of a benchmark, on one core where the machine has several and `taskset`.

import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { availableParallelism, constants, setPriority } from 'node:os'
import { join } from 'node:path'

const canPin = availableParallelism() > 1 && spawnSync('taskset', ['-V']).status === 0

/** The command line that runs another one on this core, where that is possible. */
export const pinned = (core: number, command: readonly string[]): readonly [string, ...string[]] =>
  canPin ? ['taskset', '-c', String(core), ...command] : [command[0] ?? '', ...command.slice(1)]

export interface PinnedProcess {
  readonly child: ChildProcess
  stop(): Promise<void>
}

/** Runs a file of this folder with an IPC channel. Its standard output goes nowhere. */
export function startPinned(file: string, core: number, args: readonly string[] = []): PinnedProcess {
  // kafkajs sets negative timers, and Node says so
  const node = [process.execPath, '--disable-warning=TimeoutNegativeWarning', join(import.meta.dirname, file), ...args]
  const [command, ...rest] = pinned(core, node)
  const child = spawn(command, rest, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  askForPriority(child.pid)
  return {
    child,
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill('SIGKILL')
      await once(child, 'exit')
    },
  }
}

/** The first message of the child; rejects when it ends before. */
export async function firstMessage<T>(child: ChildProcess): Promise<T> {
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`a process of the benchmark ended with ${String(code)}`)
  })
  const [message] = (await Promise.race([once(child, 'message'), ended])) as [T]
  return message
}

/** Before whatever else runs on the machine, where this user may ask for it. */
function askForPriority(pid: number | undefined): void {
  try {
    if (pid !== undefined) setPriority(pid, constants.priority.PRIORITY_HIGH)
  } catch {
    // an ordinary user measures with more noise
  }
}
