// Schemathesis, from PyPI into .cache/schemathesis-<hash of requirements.txt>/, by the machine's Python.

import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { projectCache } from '../../support/index.ts'

const requirements = fileURLToPath(new URL('requirements.txt', import.meta.url))

export type Schemathesis = { readonly program: string } | { readonly missing: string }

export interface Ended {
  readonly code: number | null
  readonly output: string
}

/** Installs it once. */
export async function findSchemathesis(): Promise<Schemathesis> {
  const version = await run('python3', ['-c', 'import sys, venv, ensurepip; assert sys.version_info >= (3, 10)'])
  if (version.code !== 0) return { missing: 'no Python ≥ 3.10 with venv (Debian: apt-get install python3-venv)' }
  const name = createHash('sha256').update(readFileSync(requirements)).digest('hex').slice(0, 12)
  const home = join(projectCache, `schemathesis-${name}`)
  const program = join(home, 'bin', 'schemathesis')
  if (existsSync(join(home, 'complete'))) return { program }
  rmSync(home, { recursive: true, force: true })
  // The paths of an environment are written into it, so it is made where it stays and called complete at the end.
  const steps = [
    ['python3', '-m', 'venv', home],
    [join(home, 'bin', 'pip'), 'install', '--quiet', '--disable-pip-version-check', '--no-deps', '-r', requirements],
  ] as const
  for (const [file, ...args] of steps) {
    const { code, output } = await run(file, args)
    if (code !== 0) return { missing: `PyPI gives no Schemathesis: ${output.trim().split('\n').at(-1)}` }
  }
  writeFileSync(join(home, 'complete'), '')
  return { program }
}

export async function run(file: string, args: readonly string[]): Promise<Ended> {
  const child = spawn(file, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    // What it remembers of a run goes there.
    cwd: tmpdir(),
    env: { ...process.env, NO_COLOR: '1' },
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes: Buffer) => (output += bytes.toString()))
  const failed = once(child, 'error').then(([error]) => String(error))
  const ended = once(child, 'close').then(([code]) => code as number | null)
  const outcome = await Promise.race([ended, failed])
  return typeof outcome === 'string' ? { code: 127, output: outcome } : { code: outcome, output }
}
