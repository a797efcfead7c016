// Forward-only migrations from numbered SQL files (NNNN-name.sql).
//
// M1  Files are applied in the order of their numbers, each once, all missing ones in one transaction: all or none.
// M2  Any number of processes may call this at once; one works, the others wait for it and find nothing to do.
// M3  An applied file never changes: a checksum that differs is an error, and so is a new file below the highest applied number.
// Rows without a file are accepted: during a roll-out older code starts on the newer schema.

import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf, SluiceError } from '../errors/index.ts'
import type { Logger } from '../telemetry/index.ts'
import type { Database, Transaction } from './queryable.ts'

export interface MigrateOptions {
  /** The folder of the SQL files. */
  readonly directory: string
  readonly log: Logger
}

export interface AppliedMigration {
  readonly number: number
  readonly name: string
}

interface MigrationFile extends AppliedMigration {
  readonly sql: string
  readonly checksum: string
}

/** Any constant will do, as long as no other advisory lock of the database uses it: "sluice" in ASCII. */
const lockKey = '126939319560037'
/** A migration may be long; a waiting process waits as long as the longest. */
const limits = { lockTimeoutMs: 600_000, statementTimeoutMs: 600_000 }

/** @returns what this call applied; empty when the schema was up to date. @throws SluiceError `start_failed`. */
export async function migrate(
  database: Pick<Database, 'transaction'>,
  { directory, log }: MigrateOptions,
): Promise<readonly AppliedMigration[]> {
  const files = await readFiles(directory)
  const applied = await database.transaction(async (tx) => {
    await tx.query(`SELECT pg_advisory_xact_lock(${lockKey})`)
    const missing = missingOf(files, await readApplied(tx))
    for (const file of missing) await apply(tx, file)
    return missing
  }, limits)
  for (const { number, name } of applied) log.info({ number, migration: name }, 'applied a migration')
  return applied.map(({ number, name }) => ({ number, name }))
}

async function readFiles(directory: string): Promise<readonly MigrationFile[]> {
  const names = (await readdir(directory)).filter((name) => name.endsWith('.sql')).toSorted()
  const files = await Promise.all(
    names.map(async (name) => {
      const number = /^(\d{4})-[a-z0-9-]+\.sql$/.exec(name)?.[1]
      if (number === undefined) throw new SluiceError('start_failed', `${name}: a migration is called NNNN-name.sql`)
      const sql = await readFile(join(directory, name), 'utf8')
      return { number: Number(number), name, sql, checksum: createHash('sha256').update(sql).digest('hex') }
    }),
  )
  const twice = files.find(({ number }, at) => files[at - 1]?.number === number)
  if (twice !== undefined) throw new SluiceError('start_failed', `${twice.name}: another migration has the same number`)
  return files
}

interface MigrationRow {
  readonly number: number
  readonly name: string
  readonly checksum: string
}

async function readApplied(tx: Transaction): Promise<readonly MigrationRow[]> {
  await tx.query('CREATE SCHEMA IF NOT EXISTS sluice')
  await tx.query(`CREATE TABLE IF NOT EXISTS sluice.migration (
    number int PRIMARY KEY, name text NOT NULL, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())`)
  const { rows } = await tx.query<MigrationRow>('SELECT number, name, checksum FROM sluice.migration')
  return rows
}

function missingOf(files: readonly MigrationFile[], applied: readonly MigrationRow[]): readonly MigrationFile[] {
  const rows = new Map(applied.map((row) => [row.number, row]))
  const highest = Math.max(0, ...rows.keys())
  return files.filter((file) => {
    const row = rows.get(file.number)
    if (row !== undefined && row.checksum !== file.checksum) {
      throw new SluiceError(
        'start_failed',
        `${file.name} was edited after it had been applied as ${row.name}; undo the edit and write a new migration`,
        { details: { migration: 'edited' } },
      )
    }
    if (row === undefined && file.number < highest) {
      throw new SluiceError(
        'start_failed',
        `${file.name} is new but its number is below ${highest}, which is applied; give it a higher one`,
      )
    }
    return row === undefined
  })
}

async function apply(tx: Transaction, { number, name, sql, checksum }: MigrationFile): Promise<void> {
  try {
    await tx.query(sql)
    await tx.query('INSERT INTO sluice.migration (number, name, checksum) VALUES ($1, $2, $3)', [
      number,
      name,
      checksum,
    ])
  } catch (error) {
    if (error instanceof SluiceError) throw error
    throw new SluiceError('start_failed', `${name}: ${messageOf(error)}`, { cause: error })
  }
}
