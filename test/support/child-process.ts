// Child processes of tests: ended at the end of the test, whatever happened in it.

import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import type { TestContext } from 'node:test'
import { atEnd } from './at-end.ts'
import { until } from './until.ts'

export interface StartChildOptions {
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  readonly file?: string
}

export interface ChildOfTest {
  readonly pid: number
  /** Everything it wrote so far, both streams, line by line. */
  readonly lines: readonly string[]
  /** Resolves with the first line, past or future, that matches. */
  line(pattern: RegExp, options?: { readonly limitMs?: number }): Promise<string>
  kill(signal: NodeJS.Signals): void
  /** Resolves when the process has ended and its output was read. */
  exited(options?: {
    readonly limitMs?: number
  }): Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>
}

/** Runs `node args…` (or another file) with exactly `env` and PATH, and kills it when the test ends. */
export function startChild(t: TestContext, args: readonly string[], options: StartChildOptions = {}): ChildOfTest {
  const { env = {}, cwd, file = process.execPath } = options
  const child = spawn(file, args, {
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(cwd === undefined ? {} : { cwd }),
  })
  const lines: string[] = []
  for (const stream of [child.stdout, child.stderr])
    createInterface({ input: stream }).on('line', (line) => lines.push(line))
  const closed = once(child, 'close')
  atEnd(t, async () => {
    child.kill('SIGKILL')
    await closed.catch(() => {})
  })
  return {
    pid: pidOf(child),
    lines,
    line: async (pattern, { limitMs = 30_000 } = {}) => {
      const found = await until(`a line matches ${pattern.source}`, () => lines.find((line) => pattern.test(line)), {
        limitMs,
      }).catch((error: unknown) => assert.fail(`${String(error)}\nIts output:\n${lines.join('\n')}`))
      return found
    },
    kill: (signal) => void child.kill(signal),
    exited: async ({ limitMs = 30_000 } = {}) => {
      await until(`process ${pidOf(child)} has ended`, () => child.exitCode !== null || child.signalCode !== null, {
        limitMs,
      })
      await closed
      return { code: child.exitCode, signal: child.signalCode }
    },
  }
}

function pidOf({ pid, spawnfile }: ChildProcess): number {
  if (pid === undefined) throw new Error(`${spawnfile} could not be started`)
  return pid
}

/** Is there a process of this id that has not ended? A zombie counts as ended. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch {
    return false
  }
  try {
    return !/^\d+ \(.*\) Z/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return process.platform !== 'linux' // no /proc, or gone just now
  }
}
