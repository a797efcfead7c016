import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { projectRoot, startChild, temporaryFolder } from '../support/index.ts'

test('each function becomes one file that runs where no package is installed', { timeout: 120_000 }, async (t) => {
  const folder = temporaryFolder(t)
  const build = startChild(t, ['cli/build.ts', folder], { cwd: projectRoot })
  assert.equal((await build.exited({ limitMs: 60_000 })).code, 0, build.lines.join('\n'))

  const names = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory())
  assert.ok(names.length >= 4)
  for (const { name } of names) {
    // Without its database it ends by itself, with the code that says so: everything was loaded.
    const child = startChild(t, [join(folder, name, 'main.js')], { cwd: folder })
    assert.equal((await child.exited({ limitMs: 20_000 })).code, 1)
    assert.match(child.lines.join('\n'), new RegExp(`${name} could not start: invalid_option`))
  }
})
