// What this machine offers: programs on the PATH, container engines that work, free ports.

import { execFile } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { connect } from 'node:net'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { allotPorts } from '../../../local/runner/index.ts'

const execute = promisify(execFile)

export interface CommandOptions {
  readonly limitMs?: number
  readonly cwd?: string
}

/** Runs a program to its end and resolves with its standard output; rejects with the end of what it said otherwise. */
export async function command(
  file: string,
  args: readonly string[],
  { limitMs = 20_000, cwd }: CommandOptions = {},
): Promise<string> {
  try {
    const { stdout } = await execute(file, args, {
      timeout: limitMs,
      killSignal: 'SIGKILL',
      maxBuffer: 16 * 2 ** 20,
      ...(cwd === undefined ? {} : { cwd }),
    })
    return stdout
  } catch (error) {
    const { stderr = '', stdout = '' } = error as { stderr?: string; stdout?: string }
    const lines = `${stdout}\n${stderr}`.split('\n').filter((line) => line.trim() !== '')
    // Some say the cause first, some last.
    const told = lines.length <= 6 ? lines : [...lines.slice(0, 3), '…', ...lines.slice(-3)]
    const end = told.map((line) => line.trim().slice(0, 300)).join(' / ')
    throw new Error(`${file} ${args.slice(0, 2).join(' ')} failed: ${end === '' ? String(error) : end}`, {
      cause: error,
    })
  }
}

/** The full path of a program on the PATH. */
export function onPath(program: string, path: string = process.env['PATH'] ?? ''): string | undefined {
  return path
    .split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, program))
    .find((file) => isExecutable(file))
}

export function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** A container engine that really answers: many machines have the client without a daemon. */
export async function containerEngine(): Promise<string | undefined> {
  for (const name of ['docker', 'podman']) {
    const file = onPath(name)
    if (file === undefined) continue
    const answer = await command(file, ['info', '--format', '{{json .}}'], { limitMs: 10_000 }).catch(() => '')
    if (answer !== '') return file
  }
  return undefined
}

/** Below the range of outgoing connections: a server that is killed and started again must find its port free. */
export async function freePort(): Promise<number> {
  const [port = 0] = await allotPorts(1)
  return port
}

/** Sends bytes to a port and resolves with the first answer, or with undefined when nothing comes within `limitMs`. */
export function firstAnswer(port: number, request: Buffer | string, limitMs = 1_000): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port })
    const end = (answer?: Buffer): void => {
      socket.destroy()
      resolve(answer)
    }
    socket.setTimeout(limitMs, () => end())
    socket.once('connect', () => socket.write(request))
    socket.once('data', (bytes) => end(bytes))
    socket.once('error', () => end())
    socket.once('close', () => end())
  })
}
