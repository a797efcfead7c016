import assert from 'node:assert/strict'
import { chmodSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { canEnter, serverAccount } from '../../../local/postgres/account.ts'
import { temporaryFolder } from '../../support/index.ts'

const nobody = { name: 'nobody', uid: 65_534, gid: 65_534 }
const passwd =
  (...lines: string[]) =>
  (): string =>
    ['root:x:0:0::/root:/bin/sh', ...lines, ''].join('\n')

test('an ordinary user runs Postgres as itself', () => {
  assert.equal(serverAccount(1_000, passwd()), undefined)
})

test('root lends the account postgres, or nobody where that one does not exist', () => {
  const both = passwd('nobody:x:65534:65534::/:/bin/false', 'postgres:x:101:104::/var/lib:/bin/sh')
  assert.deepEqual(serverAccount(0, both), { name: 'postgres', uid: 101, gid: 104 })
  assert.deepEqual(serverAccount(0, passwd('nobody:x:65534:65534::/:/bin/false')), nobody)
})

test('an account postgres that is root in disguise is not taken', () => {
  const disguised = passwd('postgres:x:0:0::/root:/bin/sh', 'nobody:x:65534:65534::/:/bin/false')
  assert.deepEqual(serverAccount(0, disguised), nobody)
})

test('root without either account is told to use an ordinary user', () => {
  assert.throws(() => serverAccount(0, passwd()), { code: 'start_failed', message: /ordinary user/ })
})

test('one folder above that others cannot pass through is enough to be kept out', (t) => {
  const folder = temporaryFolder(t)
  const inner = join(folder, 'home', 'project')
  mkdirSync(inner, { recursive: true })
  assert.equal(canEnter(nobody, inner), true)
  chmodSync(join(folder, 'home'), 0o700)
  assert.equal(canEnter(nobody, inner), false)
  chmodSync(join(folder, 'home'), 0o701)
  assert.equal(canEnter(nobody, inner), true)
})

test('the owner of a private folder may enter it', (t) => {
  const folder = temporaryFolder(t)
  chmodSync(folder, 0o700)
  const owner = { name: 'owner', uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }
  assert.equal(canEnter(owner, folder), true)
})
