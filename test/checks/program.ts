// Runs the programs of checks: those that npm installed, on the Node that runs this.

import { spawn } from 'node:child_process'
import { join } from 'node:path'

export interface Ended {
  readonly code: number
  readonly output: string
}

const limitMs = 180_000

export interface Program {
  readonly cwd: string
  readonly file: string
  readonly args: readonly string[]
  /** Added to the environment. */
  readonly env?: Readonly<Record<string, string>>
}

/** A program of node_modules/.bin. */
export const tool = (root: string, name: string, args: readonly string[]): Promise<Ended> =>
  run({ cwd: root, file: join(root, 'node_modules', '.bin', name), args })

/** A script of the project. */
export const script = (root: string, args: readonly string[]): Promise<Ended> =>
  run({ cwd: root, file: process.execPath, args })

/** Any program of this machine. */
export function run({ cwd, file, args, env: extra = {} }: Program): Promise<Ended> {
  return new Promise((resolve) => {
    // Some tools colour their output when CI is set, and take any FORCE_COLOR for a yes.
    const { CI: _ci, FORCE_COLOR: _color, ...environment } = process.env
    const env = { ...environment, NO_COLOR: '1', ...extra }
    const child = spawn(file, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], timeout: limitMs })
    let output = ''
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (output += text))
    child.once('error', (error) => resolve({ code: 127, output: `${file}: ${error.message}` }))
    child.once('close', (code) => resolve({ code: code ?? 1, output }))
  })
}

/** The number that a tool prints about itself; 0 when it prints none. */
export const numberIn = (output: string, pattern: RegExp): number =>
  Number(pattern.exec(output)?.[1]?.replaceAll(/\D/g, '') ?? 0)
