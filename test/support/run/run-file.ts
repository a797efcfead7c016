// Runs one test file in a process of its own, in a process group of its own, so that a file that hangs can be ended together
// with everything it started.

import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { mark, type EndedTest, type Leftover } from './ended-test.ts'

export interface RunFileOptions {
  readonly file: string
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** Longest run, in milliseconds. */
  readonly limitMs: number
  /** Only tests whose title matches. */
  readonly grep?: string | undefined
  readonly signal: AbortSignal
}

export interface FileResult {
  readonly file: string
  readonly ms: number
  readonly tests: readonly EndedTest[]
  /** What the file printed apart from its results. */
  readonly output: readonly string[]
  /** What is wrong with the file as a whole: crashed, hanging, without tests. */
  readonly trouble: string | undefined
}

const reporter = fileURLToPath(new URL('reporter.ts', import.meta.url))
// kafkajs asks for a negative delay once in each process.
const quiet = ['--disable-warning=TimeoutNegativeWarning', '--disable-warning=ExperimentalWarning']

export async function runFile({ file, cwd, env, limitMs, grep, signal }: RunFileOptions): Promise<FileResult> {
  const started = performance.now()
  const patterns = grep === undefined ? [] : [`--test-name-pattern=${grep}`]
  const report = [`--test-reporter=${reporter}`, '--test-reporter-destination=stdout']
  const child = spawn(process.execPath, [...quiet, ...report, ...patterns, file], {
    cwd,
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const tests: EndedTest[] = []
  const output: string[] = []
  let ended: string | undefined
  createInterface({ input: child.stderr }).on('line', (line) => output.push(line))
  createInterface({ input: child.stdout }).on('line', (line) => {
    const at = line.indexOf(mark)
    const printed = at === -1 ? line : line.slice(0, at)
    if (printed !== '') output.push(printed)
    if (at === -1) return
    const told = JSON.parse(line.slice(at + mark.length)) as EndedTest | Leftover
    if ('resources' in told) ended ??= `its tests ended, but its process was kept alive by ${told.resources.join(', ')}`
    else tests.push(told)
  })

  const end = (why: string): void => {
    ended ??= why
    killGroup(child.pid)
  }
  const limit = setTimeout(() => end(`still running after ${limitMs / 1_000} s, and ended`), limitMs)
  const onAbort = (): void => end(`ended, because ${String(signal.reason)}`)
  signal.addEventListener('abort', onAbort, { once: true })
  const code = await new Promise<number | string>((resolve) => {
    child.once('error', (error) => resolve(error.message))
    child.once('close', (exit, by) => resolve(exit ?? by ?? 'unknown'))
  })
  clearTimeout(limit)
  signal.removeEventListener('abort', onAbort)
  killGroup(child.pid) // what a file leaves behind must not disturb the next

  const ms = performance.now() - started
  return { file, ms, tests, output, trouble: ended ?? troubleOf(code, tests, grep) }
}

function troubleOf(code: number | string, tests: readonly EndedTest[], grep: string | undefined): string | undefined {
  const failed = tests.some(({ outcome }) => outcome === 'failed')
  if (code !== 0 && !failed) return `the process ended with ${code}`
  // A misspelt import of node:test, or a file that ends early, would otherwise count as success.
  return tests.length === 0 && grep === undefined ? 'there is no test in this file' : undefined
}

function killGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL')
  } catch {
    // all of the group have ended
  }
}
