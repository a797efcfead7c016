// Runs the generator in a copy of the schemas, so that drift can be planted.

import { test, type TestContext } from 'node:test'
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const project = fileURLToPath(new URL('../../../../', import.meta.url))
const generated = 'shared/events/generated'

function copyProject(t: TestContext): string {
  const copy = mkdtempSync(join(tmpdir(), 'sluice-generate-'))
  t.after(() => rmSync(copy, { recursive: true, force: true }))
  for (const path of ['schemas/events', 'shared/events', 'package.json']) {
    mkdirSync(join(copy, path, '..'), { recursive: true })
    cpSync(join(project, path), join(copy, path), { recursive: true })
  }
  symlinkSync(join(project, 'node_modules'), join(copy, 'node_modules'))
  return copy
}

const generate = (root: string, ...args: string[]) =>
  spawnSync(process.execPath, [join(root, 'shared/events/generate/main.ts'), ...args], {
    encoding: 'utf8',
    timeout: 60_000,
  })

test('the committed files are what the schemas give', { timeout: 60_000 }, () => {
  const { status, stdout, stderr } = generate(project, '--check')
  assert.equal(status, 0, stderr)
  assert.match(stdout, /^[1-9]\d* schemas, 4 generated files compared/)
})

test(
  'a changed schema is drift: the check exits 1 and names the files, and generating mends it',
  { timeout: 120_000 },
  (t) => {
    const root = copyProject(t)
    const path = join(root, 'schemas/events/tool.call.requested/v1.schema.json')
    writeFileSync(path, readFileSync(path, 'utf8').replace('"maxLength": 64', '"maxLength": 65'))
    const check = generate(root, '--check')
    assert.equal(check.status, 1)
    assert.match(check.stderr, /shared\/events\/generated\/validators\.js does not match/)
    assert.doesNotMatch(check.stderr, /types\.ts does not match/)
    assert.equal(generate(root).status, 0)
    assert.equal(generate(root, '--check').status, 0)
  },
)

test('a file that is missing is drift too', { timeout: 60_000 }, (t) => {
  const root = copyProject(t)
  rmSync(join(root, generated, 'types.ts'))
  const { status, stderr } = generate(root, '--check')
  assert.equal(status, 1)
  assert.match(stderr, /types\.ts does not match/)
})

test('the output depends on the schemas alone, not on where the project lies', { timeout: 60_000 }, (t) => {
  const root = copyProject(t)
  assert.equal(generate(root).status, 0)
  for (const name of ['types.ts', 'validators.js', 'validators.d.ts', 'event-types.ts']) {
    assert.equal(
      readFileSync(join(root, generated, name), 'utf8'),
      readFileSync(join(project, generated, name), 'utf8'),
      name,
    )
  }
})
