// Reads local/seeds/*.yaml. Strict, because a misspelt column would otherwise be a row that is quietly different.

import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parse } from 'yaml'
import { messageOf, SluiceError } from '../../shared/errors/index.ts'
import { seedTables, type SeedTable } from './seed-tables.ts'

export interface SeedRows {
  readonly table: SeedTable
  readonly rows: readonly Readonly<Record<string, unknown>>[]
}

/** The rows of all files of the folder, by table, in the order in which the tables are filled. @throws SluiceError `invalid_option` */
export async function readSeeds(folder: string): Promise<readonly SeedRows[]> {
  const files = (await readdir(folder)).filter((name) => name.endsWith('.yaml')).toSorted()
  const rows = new Map<string, Readonly<Record<string, unknown>>[]>()
  for (const file of files) {
    const content = contentOf(await readFile(join(folder, file), 'utf8'), file)
    for (const [table, added] of Object.entries(content)) {
      if (!seedTables.some(({ name }) => name === table) || !isRows(added)) {
        const names = seedTables.map(({ name }) => name).join(', ')
        throw invalid(file, `'${table}' is not a list of rows of one of the tables ${names}`)
      }
      rows.set(table, [...(rows.get(table) ?? []), ...added])
    }
  }
  return seedTables.map((table) => ({ table, rows: rows.get(table.name) ?? [] }))
}

function contentOf(text: string, file: string): object {
  let content: unknown
  try {
    content = parse(text) ?? {}
  } catch (error) {
    throw invalid(file, messageOf(error))
  }
  if (typeof content === 'object' && content !== null && !Array.isArray(content)) return content
  throw invalid(file, 'it must hold table names')
}

const isRows = (value: unknown): value is Record<string, unknown>[] =>
  Array.isArray(value) && value.every((row) => typeof row === 'object' && row !== null && !Array.isArray(row))

const invalid = (file: string, why: string): SluiceError =>
  new SluiceError('invalid_option', `the seeds in ${file}: ${why}`)
