// A command of sluice as a user runs it: a process of its own, to its end, with exactly this environment and PATH.

import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { projectRoot } from '../support/places.ts'

export interface EndedCommand {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunCommandOptions {
  readonly env?: Readonly<Record<string, string>>
  readonly input?: string
}

export const commandFile: string = fileURLToPath(new URL('../../cli/main.ts', import.meta.url))

export function runCommand(
  args: readonly string[],
  { env = {}, input = '' }: RunCommandOptions = {},
): Promise<EndedCommand> {
  const child = spawn(process.execPath, [commandFile, ...args], {
    env: { PATH: process.env['PATH'] ?? '', ...env },
    cwd: projectRoot,
  })
  const ended = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (text: string) => (ended[name] += text))
  child.stdin.on('error', () => undefined) // it ended without reading
  child.stdin.end(input)
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, ...ended })))
}
