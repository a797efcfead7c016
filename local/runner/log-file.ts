// The log of one process: everything it writes, line by line, appended. A file over the limit is set aside once, when the
// process starts, so that logs do not fill the disk.

import { createWriteStream, mkdirSync, renameSync, statSync } from 'node:fs'
import { dirname } from 'node:path'

const setAsideBytes = 20 * 1024 * 1024

export interface LogFile {
  readonly path: string
  write(line: string): void
  close(): void
}

export function openLogFile(path: string): LogFile {
  mkdirSync(dirname(path), { recursive: true })
  if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) > setAsideBytes) renameSync(path, `${path}.1`)
  const stream = createWriteStream(path, { flags: 'a' })
  stream.on('error', () => undefined) // a full disk must not end the platform
  return {
    path,
    write: (line) => void stream.write(`${line}\n`),
    close: () => void stream.end(),
  }
}
