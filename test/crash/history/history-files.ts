// A history in a folder: one file of JSON lines for each list.

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { History, Remainder } from './history.ts'

const lists = ['sends', 'effects', 'counters', 'bankCalls', 'records', 'outbox', 'deadLetters', 'ledger'] as const
type List = (typeof lists)[number]

export const fileOf = (folder: string, list: string): string => join(folder, `${list}.jsonl`)

export function writeList(folder: string, list: List, rows: readonly unknown[]): void {
  writeFileSync(fileOf(folder, list), rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
}

export const writeRemainder = (folder: string, remainder: Remainder): void =>
  writeFileSync(join(folder, 'remainder.json'), JSON.stringify(remainder))

export function readHistory(folder: string): History {
  const read = (list: List): readonly unknown[] => readLines(fileOf(folder, list))
  const byName = Object.fromEntries(lists.map((list) => [list, read(list)]))
  const remainder: unknown = JSON.parse(readFileSync(join(folder, 'remainder.json'), 'utf8'))
  return { ...byName, remainder } as unknown as History
}

/** Rows of a file that may end in the middle of a line, because its writer was killed. */
export function readLines(file: string): readonly unknown[] {
  if (!existsSync(file)) return []
  const lines = readFileSync(file, 'utf8').split('\n')
  lines.pop()
  return lines.map((line) => JSON.parse(line) as unknown)
}
