// The file system of the image, made by the script that the Dockerfile runs, and every function started from it as the image
// does: Node and this folder alone, production mode, no right to write, a user without rights where this machine can.

import assert from 'node:assert/strict'
import { chmodSync, copyFileSync, mkdirSync, readFileSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { compileCacheFolder, imageUserId } from '../../cli/image/write-compile-cache.ts'
import { startRehearsalModel } from '../../local/rehearsal-model/index.ts'
import { atEnd, createTestDatabase, projectRoot, startChild, temporaryFolder } from '../support/index.ts'

interface Image {
  readonly app: string
  readonly node: string
  readonly functions: readonly string[]
}

const asRoot = process.getuid?.() === 0

async function buildImage(t: TestContext): Promise<Image> {
  const folder = temporaryFolder(t)
  const app = join(folder, 'app')
  const build = startChild(t, ['cli/build.ts', app], { cwd: projectRoot })
  assert.equal((await build.exited({ limitMs: 120_000 })).code, 0, build.lines.join('\n'))
  chmodSync(folder, 0o755)
  mkdirSync(join(folder, 'bin'))
  const node = join(folder, 'bin', 'node')
  copyFileSync(process.execPath, node)
  const functions = readdirSync(join(app, 'functions')).filter((name) => name !== 'chunks')
  return { app, node, functions }
}

/** As the container starts: a user without rights, nothing of this project in reach. */
function run(
  t: TestContext,
  image: Image,
  { args = [], env }: { args?: readonly string[]; env: Record<string, string> },
) {
  const command = [image.node, 'main.js', ...args]
  const user = `--reuid=${imageUserId}`
  const [file = '', ...rest] = asRoot
    ? ['setpriv', user, `--regid=${imageUserId}`, '--clear-groups', ...command]
    : command
  return startChild(t, rest, {
    file,
    cwd: image.app,
    env: { NODE_ENV: 'production', NODE_COMPILE_CACHE: compileCacheFolder(image.app), ...env },
  })
}

const listing = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => `${name} ${statSync(join(folder, name)).mtimeMs} ${statSync(join(folder, name)).size}`)
    .toSorted()

test(
  'every function starts and stops from the files of the image alone, and writes nothing',
  { timeout: 240_000 },
  async (t) => {
    const image = await buildImage(t)
    const files = listing(image.app)
    assert.ok(image.functions.length >= 8)
    const { url } = await createTestDatabase(t, { migrated: false })
    const model = await startRehearsalModel({ port: 0 })
    atEnd(t, () => model.stop())

    const migration = run(t, image, { args: ['migrate'], env: { DATABASE_URL: url } })
    assert.equal((await migration.exited({ limitMs: 60_000 })).code, 0, migration.lines.join('\n'))
    assert.match(migration.lines.at(-1) ?? '', /^[1-9]\d* migrations applied\.$/)

    for (const name of image.functions) {
      const child = run(t, image, {
        env: {
          FUNCTION_TARGET: name,
          PORT: '0',
          SLUICE_OPERATIONS_PORT: '0',
          DATABASE_URL: url,
          MODEL_BASE_URL: model.url,
          MEMORY_SERVICE_URL: 'http://127.0.0.1:9',
          NODE_DEBUG_NATIVE: 'COMPILE_CACHE',
        },
      })
      await child.line(/"message":"ready"/, { limitMs: 30_000 })
      child.kill('SIGTERM')
      assert.equal((await child.exited({ limitMs: 20_000 })).code, 0, child.lines.join('\n'))
      if (asRoot) {
        const own = child.lines.filter((line) => line.includes(`functions/${name}/main.js was`))
        assert.match(own.join('\n'), /was accepted/, `${name} compiles its code at each start`)
      }
    }
    assert.deepEqual(listing(image.app), files)
    t.diagnostic(
      `${image.functions.length} functions started from ${files.length} files${asRoot ? `, as user ${imageUserId}` : ''}`,
    )
  },
)

test('the image says which functions it has not', { timeout: 20_000 }, async (t) => {
  for (const target of ['', 'no-such', '../cli', 'chunks']) {
    const child = startChild(t, ['cli/image/main.ts'], { cwd: projectRoot, env: { FUNCTION_TARGET: target } })
    assert.equal((await child.exited()).code, 1)
    assert.match(child.lines.join('\n'), /FUNCTION_TARGET must be the name of a function of this image/)
  }
})

test('the Dockerfile runs what was built here: same folder, cache, user and entry', () => {
  const lines = readFileSync(join(projectRoot, 'Dockerfile'), 'utf8').split('\n')
  const final = lines.slice(lines.findLastIndex((line) => line.startsWith('FROM ')))
  assert.ok(lines.some((line) => line.startsWith('RUN node cli/build.ts /app ')))
  assert.ok(final.includes(`USER ${imageUserId}:${imageUserId}`))
  assert.match(final.join('\n'), new RegExp(`NODE_COMPILE_CACHE=${compileCacheFolder('/app')} `))
  assert.ok(final.includes('ENTRYPOINT ["node", "main.js"]'))
})
