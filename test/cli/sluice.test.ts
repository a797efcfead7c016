import assert from 'node:assert/strict'
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { isAlive, projectRoot, startChild, temporaryFolder, until } from '../support/index.ts'

const limit = { timeout: 60_000 }

/** A set-up project whose cli/main.ts is the given program. */
function projectWith(t: TestContext, main: string): string {
  const project = temporaryFolder(t)
  mkdirSync(join(project, 'cli'))
  for (const name of ['sluice.js', 'setup.js', 'setup-lock.js'])
    cpSync(join(projectRoot, 'cli', name), join(project, 'cli', name))
  for (const name of ['package.json', 'package-lock.json']) cpSync(join(projectRoot, name), join(project, name))
  symlinkSync(join(projectRoot, 'node_modules'), join(project, 'node_modules'))
  writeFileSync(join(project, 'cli', 'main.ts'), main)
  return project
}

test("arguments and the exit code pass through, and it runs on the project's own Node", limit, async (t) => {
  const project = projectWith(t, 'console.log(process.version, process.argv.slice(2)); process.exitCode = 7')
  const child = startChild(t, ['cli/sluice.js', 'one', '--two', 'three four'], { cwd: project })
  assert.deepEqual(await child.exited({ limitMs: 20_000 }), { code: 7, signal: null })
  assert.match(child.lines.join('\n'), /^v24\..* \[ 'one', '--two', 'three four' \]$/)
})

test('a signal reaches the command, and its own way of ending is mirrored', limit, async (t) => {
  const project = projectWith(
    t,
    `process.on('SIGTERM', () => process.exit(5)); setInterval(() => {}, 1000); console.log('up')`,
  )
  const child = startChild(t, ['cli/sluice.js'], { cwd: project })
  await child.line(/up/)
  child.kill('SIGTERM')
  assert.deepEqual(await child.exited({ limitMs: 20_000 }), { code: 5, signal: null })
})

test('a command that dies of a signal is seen to have died of it', limit, async (t) => {
  const project = projectWith(t, `console.log('pid', process.pid); setInterval(() => {}, 1000)`)
  const child = startChild(t, ['cli/sluice.js'], { cwd: project })
  const pid = Number(/pid (\d+)/.exec(await child.line(/pid/))?.[1])
  process.kill(pid, 'SIGKILL')
  assert.deepEqual(await child.exited({ limitMs: 20_000 }), { code: null, signal: 'SIGKILL' })
  await until('the command is gone', () => !isAlive(pid))
})
