// Every file with behaviour is reached by the tests of its module.

import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { test } from 'node:test'
import { projectRoot } from '../support/places.ts'
import { assertNone, read, sources, tests, isRoot } from './project-files.ts'

/** Sources that no test of their module imports, and which test proves them all the same. */
const provenElsewhere: Readonly<Record<string, string>> = {
  'cli/image/main.ts': 'test/cli/build.test.ts starts every function by it, from the files of the image',
  'cli/setup-lock.js': 'test/cli/setup.test.ts runs set-ups at once, and after one that was killed',
  'cli/setup.js': 'test/cli/setup.test.ts runs it as the process it is',
  'cli/sluice.js': 'test/cli/sluice.test.ts runs it as the process it is',
}

const mirrorOf = (file: string): string => `test/${file.replace(/\.(ts|js)$/, '')}.test.ts`

// A file of declarations and plain values has no behaviour.
function hasBehaviour(file: string): boolean {
  if (basename(file) === 'index.ts') return false
  const code = file.endsWith('.ts') ? stripTypeScriptTypes(read(file)) : read(file)
  return /=>|\bfunction\b|\bclass\b/.test(code.replaceAll(/\/\/.*|\/\*[^]*?\*\//g, ''))
}

test('every source file with behaviour has its mirrored test, or is reached by the tests of its module', () => {
  const behaving = sources.filter((file) => hasBehaviour(file) && !isRoot(file))
  assert.ok(behaving.length >= 100, `only ${behaving.length} files with behaviour were read`)
  const reached = reachedByOwnTests()
  const untested = behaving.filter(
    (file) => !existsSync(join(projectRoot, mirrorOf(file))) && !reached.has(file) && !(file in provenElsewhere),
  )
  assertNone(untested, 'write test/<path>.test.ts, or say in provenElsewhere which test proves it')
})

test('the exceptions from the mirrored tests are still exceptions', () => {
  for (const [file, reason] of Object.entries(provenElsewhere)) {
    assert.ok(existsSync(join(projectRoot, file)), `${file} is gone: remove it from provenElsewhere`)
    const [proof = ''] = reason.split(' ')
    assert.ok(existsSync(join(projectRoot, proof)), `${proof}, which proves ${file}, is gone`)
  }
})

/** What tests import, and from there on what those files import inside the same module. */
function reachedByOwnTests(): ReadonlySet<string> {
  const reached = new Set<string>()
  const named = new Set<string>() // apart: a file that was only named must still be followed when its own test comes
  const reach = (file: string): void => {
    if (reached.has(file) || !sources.includes(file)) return
    reached.add(file)
    for (const next of importsOf(file)) if (moduleOf(next) === moduleOf(file)) reach(next)
  }
  for (const file of tests) {
    for (const imported of importsOf(file)) {
      // A contract suite tests each adapter by its module's index; any other test speaks for the files it names.
      const isOwn = file.startsWith(`test/${moduleOf(imported)}/`) || file.startsWith('test/contracts/')
      if (isOwn) reach(imported)
      else if (basename(imported) !== 'index.ts') named.add(imported)
    }
  }
  return reached.union(named)
}

const moduleOf = (file: string): string =>
  file
    .split('/')
    .slice(0, file.startsWith('cli/') ? 1 : 2)
    .join('/')

/** The project's own files that a file imports, or names by `new URL('x.ts', import.meta.url)` to run them as processes. */
function importsOf(file: string): readonly string[] {
  const specifiers = [
    ...read(file).matchAll(/(?:from|import|import\(|new URL\()\s*['"](\.{0,2}\/?[^'"]+\.(?:ts|js))['"]/g),
  ]
  return specifiers.map(([, specifier = '']) => join(dirname(file), specifier))
}
