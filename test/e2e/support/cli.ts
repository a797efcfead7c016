// `sluice` as a user runs it, in a home folder of the test.

import { execFileSync, spawn } from 'node:child_process'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { allotPorts } from '../../../local/runner/index.ts'
import { projectRoot, startChild, temporaryFolder, type ChildOfTest } from '../../support/index.ts'

export interface Cli {
  readonly home: string
  readonly port: number
  /** Starts `sluice start` and leaves it running. */
  start(...args: readonly string[]): ChildOfTest
  /** Runs a command to its end. */
  run(args: readonly string[], input?: string): Promise<Finished>
}

export interface Finished {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export async function createCli(t: TestContext): Promise<Cli> {
  const home = temporaryFolder(t)
  const [port = 0] = await allotPorts(1)
  const env = { PATH: process.env['PATH'] ?? '', SLUICE_HOME: home, PORT: String(port) }
  const main = join(projectRoot, 'cli', 'main.ts')
  return {
    home,
    port,
    start: (...args) => startChild(t, [main, 'start', ...args], { env, cwd: projectRoot }),
    run: (args, input = '') => finished(spawn(process.execPath, [main, ...args], { env, cwd: projectRoot }), input),
  }
}

function finished(child: ReturnType<typeof spawn>, input: string): Promise<Finished> {
  const output = { stdout: '', stderr: '' }
  for (const stream of ['stdout', 'stderr'] as const)
    child[stream]?.setEncoding('utf8').on('data', (text: string) => (output[stream] += text))
  child.stdin?.end(input)
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, ...output })))
}

/** Ids of all processes below one, whatever they are. */
export function descendants(pid: number): readonly number[] {
  const pairs = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
  const below = (parent: number): readonly number[] =>
    pairs.flatMap(([child = 0, itsParent]) => (itsParent === parent ? [child, ...below(child)] : []))
  return below(pid)
}
