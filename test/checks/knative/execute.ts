// Runs a program to its end and keeps what it printed.

import { spawn } from 'node:child_process'

export interface Ended {
  /** 127 when there is no such program. */
  readonly code: number
  /** Standard output and standard error, as they came. */
  readonly output: string
  readonly stdout: string
}

export interface ExecuteOptions {
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
  readonly input?: string
  readonly limitMs?: number
}

export function execute(
  file: string,
  args: readonly string[],
  { cwd, env, input, limitMs = 180_000 }: ExecuteOptions,
): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn(file, args, { cwd, env: env ?? process.env, timeout: limitMs, stdio: ['pipe', 'pipe', 'pipe'] })
    let [output, stdout] = ['', '']
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text
      stdout += text
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text))
    child.stdin.on('error', () => undefined) // it ended without reading
    child.stdin.end(input ?? '')
    child.once('error', (error) => resolve({ code: 127, output: `${file}: ${error.message}`, stdout }))
    child.once('close', (code) => resolve({ code: code ?? 1, output, stdout }))
  })
}
