// Groups failures of the same kind: equal for the same code thrown from the same functions, whatever the values, the line
// numbers and the paths of the machine. A replay stops when the fingerprint it was meant to cure returns.

import { createHash } from 'node:crypto'
import type { ErrorCode } from '../../errors/index.ts'

const frames = 5

/** Sixteen hex digits. */
export function fingerprintOf(code: ErrorCode, error?: unknown): string {
  const stack = error instanceof Error && typeof error.stack === 'string' ? error.stack : ''
  const lines = stack.split('\n').filter((line) => line.trimStart().startsWith('at ') && !line.includes('node:'))
  const places = withinHandler(lines).slice(0, frames).map(placeOf)
  const name = error instanceof Error ? error.name : ''
  return createHash('sha256')
    .update([code, name, ...places].join('\n'))
    .digest('hex')
    .slice(0, 16)
}

// In a bundle all files are one, and nothing can be told from their names.
const isOwnFile = import.meta.url.endsWith('/dead-letters/fingerprint.ts')
const ownPath = new URL('../', import.meta.url).pathname

/** Who called the handler – the source, a lane, a dry run – is not part of its failure. */
function withinHandler(lines: readonly string[]): readonly string[] {
  const isOwn = (line: string): boolean => isOwnFile && line.includes(ownPath)
  const outermost = lines.findLastIndex((line) => isOwn(line) && line.includes('/runs/time-limit.ts:'))
  return (outermost === -1 ? lines : lines.slice(0, outermost)).filter((line) => !isOwn(line))
}

/** "at async run (file:///a/b/handler.ts:12:3)" → "run handler.ts" */
function placeOf(line: string): string {
  const [, name = '', file = ''] = /^\s*at (?:async )?(?:(.*) \()?(.*?)(?::\d+)*\)?$/.exec(line) ?? []
  return `${name} ${file.slice(file.lastIndexOf('/') + 1)}`
}
