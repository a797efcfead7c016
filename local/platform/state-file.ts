// .sluice/platform.json: where the running platform of this project is, for `sluice chat`, `send`, `record` and people; and the
// mark that keeps a second one from starting.
//
// S1  A file whose process is gone counts as none. A process is told from a later one with the same id by its start time.
// S2  It holds the password of the local database, so only its owner may read it.

import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { SluiceError } from '../../shared/errors/index.ts'

export interface PlatformState {
  readonly pid: number
  /** As the system tells it; another process of the same id has another. */
  readonly startTime: string
  /** Absent while it starts. */
  readonly gateway?: string
  readonly functions?: Readonly<Record<string, string>>
  /** Where health and metrics of each process are. */
  readonly operations?: Readonly<Record<string, string>>
  readonly databaseUrl?: string
  readonly kafkaBrokers?: readonly string[]
}

/** The state of the platform that runs now, if one does. */
export function readPlatformState(path: string): PlatformState | undefined {
  try {
    const state = JSON.parse(readFileSync(path, 'utf8')) as PlatformState
    return startTimeOf(state.pid) === state.startTime ? state : undefined
  } catch {
    return undefined
  }
}

/** Marks the project as running here. @throws SluiceError `start_failed` when it runs already. */
export function claimPlatform(path: string, pid: number): void {
  mkdirSync(dirname(path), { recursive: true })
  const running = readPlatformState(path)
  if (running !== undefined) throw alreadyRunning(running)
  rmSync(path, { force: true })
  const state: PlatformState = { pid, startTime: startTimeOf(pid) ?? '' }
  try {
    writeFileSync(path, JSON.stringify(state), { flag: 'wx', mode: 0o600 })
  } catch {
    throw alreadyRunning(readPlatformState(path) ?? state)
  }
}

/** Adds what became known. Readers see the old file or the new one, never half of one. */
export function updatePlatformState(path: string, facts: Omit<PlatformState, 'pid' | 'startTime'>): void {
  const state = { ...readPlatformState(path), ...facts }
  writeFileSync(`${path}.new`, `${JSON.stringify(state, undefined, 2)}\n`, { mode: 0o600 })
  renameSync(`${path}.new`, path)
}

export function releasePlatform(path: string): void {
  rmSync(path, { force: true })
}

function alreadyRunning({ pid, gateway }: PlatformState): SluiceError {
  const where = gateway === undefined ? 'is starting' : `runs at ${gateway}`
  return new SluiceError(
    'start_failed',
    `the platform of this project ${where} already (process ${pid}). Use it, or end it with Ctrl-C in its terminal or: kill -INT ${pid}`,
  )
}

/** Undefined when there is no such process. */
function startTimeOf(pid: number): string | undefined {
  try {
    if (process.platform === 'linux') {
      // The name of the program may hold spaces; the fields after it do not. starttime is field 22, so the 20th after it.
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
        .replace(/^.*\) /s, '')
        .split(' ')
      return fields[0] === 'Z' ? undefined : fields[19]
    }
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim()
  } catch {
    return undefined
  }
}
