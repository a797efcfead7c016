// Where a server's files live. Normally where the caller says. When root lends the server an account that cannot enter those
// folders (a project below a 0700 home), everything moves to a 0700 folder of that account below the system's temporary folder.
//
// P1  The same dataDir always leads to the same place, so data survives restarts.
// P2  A folder below the temporary folder is used only when it belongs to the account and nobody else may enter it;
//     anybody could have put something there first.

import { createHash } from 'node:crypto'
import { chmodSync, chownSync, existsSync, lstatSync, mkdirSync, realpathSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { SluiceError } from '../../shared/errors/index.ts'
import { canEnter, type Account } from './account.ts'

export interface Places {
  /** The database cluster itself. Not created here. */
  readonly dataDir: string
  /** Holds the initialised template and, where needed, copied binaries. Exists, owned by the account. */
  readonly cacheDir: string
}

export interface PlacesOptions {
  readonly dataDir: string
  readonly cacheDir: string
}

export function preparePlaces({ dataDir, cacheDir }: PlacesOptions, account: Account | undefined): Places {
  const wanted = resolve(dataDir)
  mkdirSync(dirname(wanted), { recursive: true })
  mkdirSync(cacheDir, { recursive: true })
  if (account === undefined || (canEnter(account, dirname(wanted)) && canEnter(account, cacheDir))) {
    return clusterIn(wanted, resolve(cacheDir, 'postgres'), account)
  }
  const home = ownFolder(join(realpathSync(tmpdir()), `sluice-${account.name}`), account)
  const name = createHash('sha256').update(wanted).digest('hex').slice(0, 16)
  return clusterIn(join(home, name), join(home, 'cache'), account)
}

// The cluster gets a folder of its own inside one that the account owns, so that it can be copied and renamed into place.
const clusterIn = (folder: string, cacheDir: string, account: Account | undefined): Places => ({
  dataDir: join(ownFolder(folder, account), 'cluster'),
  cacheDir: ownFolder(cacheDir, account),
})

/** Creates a folder that only its owner can enter; an existing one must already be so (P2). */
function ownFolder(folder: string, account?: Account): string {
  if (!existsSync(folder)) {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    if (account !== undefined) chownSync(folder, account.uid, account.gid)
    return folder
  }
  const stat = lstatSync(folder)
  const owner = account?.uid ?? process.getuid?.() ?? stat.uid
  if (!stat.isDirectory() || stat.uid !== owner) {
    throw new SluiceError(
      'start_failed',
      `${folder} exists but does not belong to the account ${account?.name ?? 'that runs Sluice'}. Remove it, then start again.`,
    )
  }
  if ((stat.mode & 0o077) !== 0) chmodSync(folder, 0o700)
  return folder
}
