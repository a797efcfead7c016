// A server program that tests started: its output is kept for the error message, and it ends with this process at the latest.

import { spawnGuarded, type GuardedChild } from '../../../local/guard/index.ts'
import { until } from '../until.ts'

export interface ServerProcessOptions {
  readonly file: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  /** Asked every 50 ms; the server is ready when it resolves with true. */
  readonly ready: () => Promise<boolean>
  readonly limitMs: number
}

/** Starts the program and resolves when it is ready; rejects with the end of its output when it ends or does not get there. */
export async function startServerProcess(options: ServerProcessOptions): Promise<GuardedChild> {
  const { file, args, env = {}, cwd, ready, limitMs } = options
  const output: string[] = []
  const child = await spawnGuarded({
    file,
    args,
    env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '/', ...env },
    stopSignal: 'SIGTERM',
    onLine: (line) => {
      if (output.push(line) > 30) output.shift()
    },
    ...(cwd === undefined ? {} : { cwd }),
  })
  let ended = false
  void child.exited.then(() => (ended = true))
  try {
    await until(`${file} is ready`, async () => ended || (await ready()), { limitMs, everyMs: 50 })
    if (ended) throw new Error(`${file} ended with code ${await child.exited}`)
    return child
  } catch (error) {
    await child.stop({ limitMs: 1_000 })
    throw new Error(`${(error as Error).message}; its output ended with: ${output.slice(-5).join(' / ')}`, {
      cause: error,
    })
  }
}
