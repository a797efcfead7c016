// The files of the project, as the rules of its architecture read them.

import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { projectRoot } from '../support/places.ts'

export const read = (file: string): string => readFileSync(join(projectRoot, file), 'utf8')
export const list = (...patterns: string[]): readonly string[] => globSync(patterns, { cwd: projectRoot }).toSorted()

export const sources = list('{shared,functions,local,cli}/**/*.{ts,js}').filter((file) => !file.includes('/generated/'))
export const tests = list('test/**/*.ts')

export function assertNone(found: readonly string[], remedy: string): void {
  if (found.length > 0) assert.fail(`${remedy}:\n  ${found.join('\n  ')}`)
}

/** Composition roots hold no behaviour of their own: tests of the whole platform run them as processes. */
export const isRoot = (file: string): boolean => /^functions\/[^/]+\/main\.ts$/.test(file)

export const withoutComments = (text: string): string => text.replaceAll(/^\s*(?:\/\/|\*|\/\*).*$/gm, '')
