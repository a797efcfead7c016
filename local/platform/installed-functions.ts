// The functions of this project: every folder of functions/ with a contract. Contracts are declarative, so importing them
// starts nothing.

import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { SluiceError } from '../../shared/errors/index.ts'
import type { AnyFunction } from '../../shared/function/index.ts'

/** In the order of their names. @throws SluiceError `start_failed` for a folder whose contract has another name. */
export async function installedFunctions(root: string): Promise<readonly AnyFunction[]> {
  const folder = join(root, 'functions')
  const names = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && isFunction(join(folder, entry.name)))
    .map(({ name }) => name)
    .toSorted()
  return Promise.all(names.map((name) => readContract(folder, name)))
}

/** A folder of functions/ that has both a contract and a way to run it. */
const isFunction = (folder: string): boolean =>
  ['function.ts', 'main.ts'].every((file) => existsSync(join(folder, file)))

async function readContract(folder: string, name: string): Promise<AnyFunction> {
  const exported = (await import(pathToFileURL(join(folder, name, 'function.ts')).href)) as Record<string, unknown>
  const contract = Object.values(exported).find(isContract)
  if (contract?.name === name) return contract
  throw new SluiceError('start_failed', `functions/${name}/function.ts must export the contract of '${name}'`)
}

const isContract = (value: unknown): value is AnyFunction =>
  typeof value === 'object' && value !== null && 'kind' in value && 'name' in value && 'needs' in value
