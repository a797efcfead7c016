// Files: how they are named and numbered, and how they begin.

import assert from 'node:assert/strict'
import { basename } from 'node:path'
import { test } from 'node:test'
import { assertNone, list, read, sources, isRoot, tests } from './project-files.ts'

test('files are named for what they hold, in kebab-case', () => {
  const named = [...sources, ...tests].map((file) => file.replace(/(\.test|\.schema|\.d)?\.[a-z]+$/, ''))
  assert.ok(named.length >= 200, `only ${named.length} names were read`)
  const empty = /^(utils?|helpers?|common|misc|base|managers?|processors?|impl|info|data|new|old|v\d+)$/
  const anywhere = /(^|-)(utils?|helpers?|common|misc|manager|processor|impl)(-|$)/
  const wrong = named.filter((path) =>
    path
      .split('/')
      .some((part) => empty.test(part) || anywhere.test(part) || !/^[a-z0-9]+([.-][a-z0-9]+)*$/.test(part)),
  )
  assertNone(wrong, 'name the concept')
})

test('every source file opens with what it owns', () => {
  const silent = sources.filter((file) => {
    const needsNone = basename(file) === 'index.ts' || isRoot(file)
    return !needsNone && !/^(#!.*\n)?(\/\/|\/\*)/.test(read(file))
  })
  assertNone(silent, 'open the file with one to six lines about what it owns')
})

test('migrations are numbered without gaps or repeats', () => {
  const migrations = list('schemas/database/*.sql').map((file) => basename(file))
  assert.ok(migrations.length > 0, 'no migration was read')
  const numbers = migrations.map((name) => Number(/^(\d{4})-[a-z0-9-]+\.sql$/.exec(name)?.[1]))
  const consecutive = numbers.map((_, at) => at + 1)
  assert.deepEqual(numbers, consecutive, migrations.join(', '))
})
