// Runs a program to its end and keeps what it printed: those that npm installed, on the Node that runs this, and any other.

import { spawn } from 'node:child_process'
import { join } from 'node:path'

export interface Ended {
  /** 127 when there is no such program. */
  readonly code: number
  /** Standard output and standard error, as they came. */
  readonly output: string
  readonly stdout: string
}

export interface Program {
  readonly file: string
  readonly args: readonly string[]
  readonly cwd?: string
  /** Added to the environment. */
  readonly env?: Readonly<Record<string, string>>
  readonly input?: string | undefined
  readonly limitMs?: number
}

/** A program of node_modules/.bin. */
export const tool = (root: string, name: string, args: readonly string[]): Promise<Ended> =>
  run({ cwd: root, file: join(root, 'node_modules', '.bin', name), args })

/** A script of the project. */
export const script = (root: string, args: readonly string[]): Promise<Ended> =>
  run({ cwd: root, file: process.execPath, args })

export function run({ file, args, cwd, env: extra = {}, input = '', limitMs = 180_000 }: Program): Promise<Ended> {
  return new Promise((resolve) => {
    // Some tools colour their output when CI is set, and take any FORCE_COLOR for a yes.
    const { CI: _ci, FORCE_COLOR: _color, ...environment } = process.env
    const env = { ...environment, NO_COLOR: '1', ...extra }
    const child = spawn(file, args, { cwd, env, stdio: ['pipe', 'pipe', 'pipe'], timeout: limitMs })
    let [output, stdout] = ['', '']
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text
      stdout += text
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text))
    child.stdin.on('error', () => undefined) // it ended without reading
    child.stdin.end(input)
    child.once('error', (error) => resolve({ code: 127, output: `${file}: ${error.message}`, stdout }))
    child.once('close', (code) => resolve({ code: code ?? 1, output, stdout }))
  })
}

/** The number that a tool prints about itself; 0 when it prints none. */
export const numberIn = (output: string, pattern: RegExp): number =>
  Number(pattern.exec(output)?.[1]?.replaceAll(/\D/g, '') ?? 0)
