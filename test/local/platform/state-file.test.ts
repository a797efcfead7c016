import assert from 'node:assert/strict'
import { statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  claimPlatform,
  readPlatformState,
  releasePlatform,
  updatePlatformState,
} from '../../../local/platform/index.ts'
import { startChild, temporaryFolder } from '../../support/index.ts'

test('a second platform of a project is refused, naming the first', (t) => {
  const path = join(temporaryFolder(t), 'home', 'platform.json')
  claimPlatform(path, process.pid)
  assert.throws(() => claimPlatform(path, process.pid), new RegExp(`is starting already \\(process ${process.pid}\\)`))
  updatePlatformState(path, { gateway: 'http://127.0.0.1:8080' })
  assert.throws(() => claimPlatform(path, process.pid), /runs at http:\/\/127\.0\.0\.1:8080 already/)
  releasePlatform(path)
  claimPlatform(path, process.pid)
})

test('the state is kept from other accounts, since it holds a password', (t) => {
  const path = join(temporaryFolder(t), 'platform.json')
  claimPlatform(path, process.pid)
  updatePlatformState(path, { databaseUrl: 'postgres://u:secret@host/db' })
  assert.equal(statSync(path).mode & 0o077, 0)
  assert.equal(readPlatformState(path)?.databaseUrl, 'postgres://u:secret@host/db')
})

test('the state of a platform that was killed counts as none', { timeout: 20_000 }, async (t) => {
  const path = join(temporaryFolder(t), 'platform.json')
  const child = startChild(t, ['-e', 'setInterval(() => {}, 1000)'])
  claimPlatform(path, child.pid)
  assert.equal(readPlatformState(path)?.pid, child.pid)
  child.kill('SIGKILL')
  await child.exited()
  assert.equal(readPlatformState(path), undefined)
  claimPlatform(path, process.pid)
})

test('a process that only has the same id is not the platform', (t) => {
  const path = join(temporaryFolder(t), 'platform.json')
  writeFileSync(path, JSON.stringify({ pid: process.pid, startTime: 'another time' }))
  assert.equal(readPlatformState(path), undefined)
})

test('a file that is no state counts as none', (t) => {
  const path = join(temporaryFolder(t), 'platform.json')
  assert.equal(readPlatformState(path), undefined)
  writeFileSync(path, '{')
  assert.equal(readPlatformState(path), undefined)
})
