import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { compileCacheEnv, warmCompileCache } from '../../../local/platform/compile-cache.ts'
import { temporaryFolder } from '../../support/index.ts'

const files = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap((entry) => (entry.isFile() ? [entry.name] : []))

test('the cache holds the code of functions before any of them ran, and is written once', async (t) => {
  const root = temporaryFolder(t)
  for (const name of ['functions/one', 'shared/function']) mkdirSync(join(root, name), { recursive: true })
  writeFileSync(join(root, 'functions/one/compose.ts'), 'export const one: number = 1\n')
  writeFileSync(join(root, 'shared/function/index.ts'), 'export const shared: string = ""\n')
  const signal = new AbortController().signal

  await warmCompileCache({ root, functions: [{ name: 'one' }] }, signal)
  const { NODE_COMPILE_CACHE: cache } = compileCacheEnv(root)
  const written = files(cache)
  assert.ok(written.length >= 2, `the cache has ${written.length} files`)

  await warmCompileCache({ root, functions: [{ name: 'one' }] }, signal)
  assert.deepEqual(files(cache), written)
})

test('a function that cannot be imported does not keep the platform from starting', async (t) => {
  const root = temporaryFolder(t)
  await warmCompileCache({ root, functions: [{ name: 'absent' }] }, new AbortController().signal)
})
