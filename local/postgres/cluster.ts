// The database cluster, the folder that initdb makes. Making one takes seconds, so it is made once for each version and copied.
//
// C1  A cluster's folder is either absent or complete: template and copy are made beside their place and renamed into it.
// C2  The superuser has a random password, kept in the cluster's folder. Trust would give every account of the machine a
//     superuser, and a superuser of Postgres can run programs.

import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, writeFileSync, chownSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { SluiceError, messageOf } from '../../shared/errors/index.ts'
import { asAccount, type Account } from './account.ts'
import type { Binaries } from './binaries.ts'

const execute = promisify(execFile)
const passwordFile = 'sluice-password'

export const superuser = 'postgres'

export interface ClusterOptions {
  readonly dataDir: string
  readonly cacheDir: string
  readonly binaries: Binaries
  readonly account: Account | undefined
  /** Have a new cluster on the disk before this returns. */
  readonly sync: boolean
}

/** Makes the cluster when there is none, and checks that one already there fits the binaries. Returns the password. */
export async function ensureCluster({ dataDir, cacheDir, binaries, account, sync }: ClusterOptions): Promise<string> {
  if (!existsSync(dataDir) || readdirSync(dataDir).length === 0) {
    const template = join(cacheDir, `template-${binaries.version}`)
    if (!existsSync(template)) await place(template, (folder) => initialise(folder, binaries, account))
    // The system's cp keeps owner and modes, and runs as the account that owns both ends.
    await place(dataDir, async (folder) => {
      const run = { ...asAccount(account), cwd: cacheDir, env: serverEnvironment }
      await execute('cp', ['-Rp', template, folder], run)
      if (sync) await execute(join(binaries.binDir, 'initdb'), ['--sync-only', '-D', folder], run)
    })
  }
  const version = readIfThere(join(dataDir, 'PG_VERSION'))?.trim()
  if (version === undefined) {
    throw new SluiceError('start_failed', `${dataDir} is not empty and holds no Postgres cluster. Name another folder.`)
  }
  if (version !== String(binaries.major)) {
    throw new SluiceError(
      'start_failed',
      `The data in ${dataDir} was made by Postgres ${version}, and this is Postgres ${binaries.version}. Use that version, or start with --fresh to begin empty.`,
    )
  }
  const password = readIfThere(join(dataDir, passwordFile))
  if (password !== undefined) return password
  throw new SluiceError(
    'start_failed',
    `${join(dataDir, passwordFile)} is missing: this cluster was not made by Sluice. Name another folder.`,
  )
}

async function initialise(folder: string, binaries: Binaries, account: Account | undefined): Promise<void> {
  const password = randomBytes(18).toString('base64url')
  const handover = `${folder}.password`
  writeFileSync(handover, password, { mode: 0o600 })
  if (account !== undefined) chownSync(handover, account.uid, account.gid)
  // Since 17 the C.UTF-8 of Postgres itself gives the same order and case rules on every system.
  const locale =
    binaries.major >= 17
      ? ['--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8']
      : [process.platform === 'linux' ? '--locale=C.UTF-8' : '--locale=C']
  try {
    await execute(
      join(binaries.binDir, 'initdb'),
      [
        '-D',
        folder,
        '-U',
        superuser,
        '-A',
        'scram-sha-256',
        `--pwfile=${handover}`,
        '-E',
        'UTF8',
        ...locale,
        '--no-sync',
      ],
      { ...asAccount(account), cwd: dirname(folder), env: serverEnvironment },
    )
    renameSync(handover, join(folder, passwordFile))
  } catch (cause) {
    rmSync(handover, { force: true })
    throw new SluiceError('start_failed', `initdb failed: ${messageOf(cause)}`, { cause })
  }
}

/** C1: builds in a folder beside `target`, then renames it; of two builders at once the first wins. */
async function place(target: string, build: (folder: string) => Promise<void>): Promise<void> {
  const unfinished = `${target}.${process.pid}-${randomBytes(4).toString('hex')}`
  try {
    await build(unfinished)
    renameSync(unfinished, target)
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true })
    if (!existsSync(target)) throw error
  }
}

/** All that initdb and postgres see of the environment: nothing of the caller's leaks into the server. */
export const serverEnvironment = { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' } as const

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}
