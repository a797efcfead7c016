// `sluice` as a user runs it, in a home folder of the test.

import { execFileSync } from 'node:child_process'
import type { TestContext } from 'node:test'
import { allotPorts } from '../../../local/runner/index.ts'
import { commandFile, runCommand, type EndedCommand } from '../../cli/run-command.ts'
import { projectRoot, startChild, temporaryFolder, type ChildOfTest } from '../../support/index.ts'

export interface Cli {
  readonly home: string
  readonly port: number
  /** Starts `sluice start` and leaves it running. */
  start(...args: readonly string[]): ChildOfTest
  /** Runs a command to its end. */
  run(args: readonly string[], input?: string): Promise<EndedCommand>
}

export async function createCli(t: TestContext): Promise<Cli> {
  const home = temporaryFolder(t)
  const [port = 0] = await allotPorts(1)
  const env = { PATH: process.env['PATH'] ?? '', SLUICE_HOME: home, PORT: String(port) }
  return {
    home,
    port,
    start: (...args) => startChild(t, [commandFile, 'start', ...args], { env, cwd: projectRoot }),
    run: (args, input = '') => runCommand(args, { env, input }),
  }
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
