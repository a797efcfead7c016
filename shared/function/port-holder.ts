// Who holds a port: the process id behind a listening TCP socket, where this system tells. Linux: /proc; elsewhere: lsof.

import { execFile } from 'node:child_process'
import { readdir, readFile, readlink } from 'node:fs/promises'
import { promisify } from 'node:util'

export async function findPortHolder(port: number): Promise<number | undefined> {
  try {
    return process.platform === 'linux' ? await searchProc(port) : await askLsof(port)
  } catch {
    return undefined // a nicer message is all that is lost
  }
}

async function searchProc(port: number): Promise<number | undefined> {
  const inodes = new Set<string>()
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    const text = await readFile(table, 'utf8').catch(() => '')
    for (const line of text.split('\n').slice(1)) {
      // sl, local address, remote address, state, queues, timer, retransmits, uid, timeout, inode
      const [, local, , state, , , , , , inode] = line.trim().split(/\s+/)
      const listening = state === '0A'
      if (listening && inode !== undefined && Number.parseInt(local?.split(':')[1] ?? '', 16) === port)
        inodes.add(`socket:[${inode}]`)
    }
  }
  if (inodes.size === 0) return undefined
  for (const pid of await readdir('/proc')) {
    if (/^\d+$/.test(pid) && (await holdsAny(pid, inodes))) return Number(pid)
  }
  return undefined
}

async function holdsAny(pid: string, sockets: ReadonlySet<string>): Promise<boolean> {
  const folder = `/proc/${pid}/fd`
  for (const descriptor of await readdir(folder).catch(() => [])) {
    if (sockets.has(await readlink(`${folder}/${descriptor}`).catch(() => ''))) return true
  }
  return false
}

async function askLsof(port: number): Promise<number | undefined> {
  const { stdout } = await promisify(execFile)('lsof', ['-nP', `-iTCP:${port}`, '-sTCP:LISTEN', '-t'], {
    timeout: 1_000,
  })
  const pid = Number(stdout.split('\n')[0])
  return Number.isInteger(pid) && pid > 0 ? pid : undefined
}
