// A copy of the sources in a temporary folder, with one known mistake written into it. Production code carries no switch for it.

import { cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { projectRoot, temporaryFolder } from '../../support/index.ts'

export interface Patch {
  readonly file: string
  /** Must be there, and only once unless `everywhere`. */
  readonly find: string
  readonly replace: string
  readonly everywhere?: boolean
}

const copied = ['shared', 'local', 'schemas', 'test/crash', 'test/support', 'package.json']

/** @throws when a patch does not fit any more: the mistake has to be written anew for the code as it is. */
export function mutatedTree(t: TestContext, patches: readonly Patch[]): string {
  const root = temporaryFolder(t)
  for (const part of copied) cpSync(join(projectRoot, part), join(root, part), { recursive: true })
  symlinkSync(join(projectRoot, 'node_modules'), join(root, 'node_modules'))
  for (const { file, find, replace, everywhere = false } of patches) {
    const path = join(root, file)
    const parts = readFileSync(path, 'utf8').split(find)
    const places = parts.length - 1
    if (places === 0 || (places > 1 && !everywhere))
      throw new Error(`${file} has ${places} places like this, so the mistake cannot be made:\n${find}`)
    writeFileSync(path, parts.join(replace))
  }
  return root
}
