// A lock that two set-ups of one checkout can share: a folder that holds exactly one owner file, named by the owner's token.
//
// L1  It is taken by renaming a prepared folder onto it, which the system refuses while the folder holds an owner.
// L2  A stale owner is removed by its own name, so nobody can remove a newer owner by mistake.
// L3  An owner touches its file every two seconds; it is stale when its process is gone or the touches stopped.
//
// Plain JavaScript for Node 20: this runs before anything is installed.

import { randomUUID } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const touchEveryMs = 2_000
const silentForMs = 30_000
const pollMs = 100

/**
 * Takes the lock, waiting for another owner as long as that one shows life.
 *
 * @param {string} folder
 * @param {{ onWait?: (pid: number) => void }} [options]
 * @returns {Promise<() => void>} releases the lock
 */
export async function takeLock(folder, { onWait = () => {} } = {}) {
  const token = randomUUID()
  mkdirSync(dirname(folder), { recursive: true })
  for (let tries = 0; !tryTake(folder, token); tries += 1) {
    const owner = readOwner(folder)
    if (owner !== undefined && isStale(owner)) rmSync(owner.file, { force: true })
    else {
      if (tries === 0 && owner !== undefined) onWait(owner.pid)
      await sleep(pollMs)
    }
  }
  const file = join(folder, token)
  const touch = setInterval(() => {
    const now = new Date()
    try {
      utimesSync(file, now, now)
    } catch {
      // taken for stale after a long sleep of the machine; the new owner goes on
    }
  }, touchEveryMs)
  touch.unref()
  return () => {
    clearInterval(touch)
    rmSync(file, { force: true })
  }
}

function tryTake(folder, token) {
  const prepared = `${folder}.${token}`
  mkdirSync(prepared)
  writeFileSync(join(prepared, token), JSON.stringify({ pid: process.pid, host: hostname() }))
  try {
    renameSync(prepared, folder)
    return true
  } catch (error) {
    rmSync(prepared, { recursive: true, force: true })
    if (error.code === 'ENOTEMPTY' || error.code === 'EEXIST') return false
    throw error
  }
}

function readOwner(folder) {
  try {
    const [token] = readdirSync(folder)
    if (token === undefined) return undefined
    const file = join(folder, token)
    const { mtimeMs } = statSync(file)
    return { file, mtimeMs, ...JSON.parse(readFileSync(file, 'utf8')) }
  } catch {
    return undefined // it was released meanwhile
  }
}

function isStale({ pid, host, mtimeMs }) {
  if (host === hostname() && !isAlive(pid)) return true
  return Date.now() - mtimeMs > silentForMs
}

function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}
