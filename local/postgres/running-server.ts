// Does a server already run on this cluster? Postgres leaves postmaster.pid behind when it is killed hard, and its own check
// only asks whether some process has that id, which after a reboot or in a container is often an unrelated one.

import { execFileSync } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { SluiceError } from '../../shared/errors/index.ts'

/** Refuses when a server runs on the folder; removes the pid file that a dead one left. */
export function refuseSecondServer(dataDir: string): void {
  const file = join(dataDir, 'postmaster.pid')
  const lines = readIfThere(file)?.split('\n')
  if (lines === undefined) return
  const pid = Number(lines[0])
  if (Number.isInteger(pid) && pid > 0 && commandOf(pid).includes(`-D ${dataDir} -c`))
    throw alreadyRunning(dataDir, { pid, port: lines[3] })
  rmSync(file, { force: true })
}

export function alreadyRunning(
  dataDir: string,
  { pid, port }: { readonly pid?: number; readonly port?: string | undefined } = {},
): SluiceError {
  const which =
    pid === undefined ? 'A Postgres server' : `A Postgres server (process ${pid}, port ${port ?? 'unknown'})`
  const stop = pid === undefined ? 'Stop it' : `Stop it with: kill -INT ${pid}`
  return new SluiceError('start_failed', `${which} already runs on ${dataDir}. ${stop}, or use another data folder.`)
}

function commandOf(pid: number): string {
  try {
    if (process.platform === 'linux') return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
    return execFileSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' })
  } catch {
    return '' // there is no such process
  }
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}
