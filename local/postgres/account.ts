// The account that Postgres runs as. It refuses root, so a launcher started by root lends it an unprivileged account that every
// system has. An ordinary user's Postgres runs as that user.

import { readFileSync, realpathSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { SluiceError } from '../../shared/errors/index.ts'

export interface Account {
  readonly name: string
  readonly uid: number
  readonly gid: number
}

/** The account to switch to, or undefined when the present one will do. No account is ever created. */
export function serverAccount(
  ownUid: number | undefined = process.getuid?.(),
  passwd: () => string = () => readFileSync('/etc/passwd', 'utf8'),
): Account | undefined {
  if (ownUid !== 0) return undefined
  const accounts = passwd()
    .split('\n')
    .map((line) => line.split(':'))
  for (const name of ['postgres', 'nobody']) {
    const fields = accounts.find(([account]) => account === name)
    const uid = Number(fields?.[2])
    const gid = Number(fields?.[3])
    if (uid > 0 && gid > 0) return { name, uid, gid }
  }
  throw new SluiceError(
    'start_failed',
    'Postgres refuses to run as root, and this system has no account postgres or nobody to run it as. Start Sluice as an ordinary user.',
  )
}

/** May the account reach what lies in `folder`: has it the search permission on the folder and on every folder above? */
export function canEnter({ uid, gid }: Account, folder: string): boolean {
  for (let path = realpathSync(folder); ; path = dirname(path)) {
    const stat = statSync(path)
    const searchBit = stat.uid === uid ? 0o100 : stat.gid === gid ? 0o010 : 0o001
    if ((stat.mode & searchBit) === 0) return false
    if (path === dirname(path)) return true
  }
}

/** The spawn options that make a child run as the account. */
export const asAccount = (account: Account | undefined): { readonly uid?: number; readonly gid?: number } =>
  account === undefined ? {} : { uid: account.uid, gid: account.gid }
