// Every check bites: in a copy of the project with one planted breach for each rule, each check fails and names the breach.
// A check that passes over its breach has stopped reading.

import assert from 'node:assert/strict'
import {
  appendFileSync,
  cpSync,
  globSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { projectRoot, temporaryFolder } from '../support/index.ts'
import { isSkipped, judge, type Check, type Verdict } from './check.ts'
import { checks } from './checks.ts'
import { script } from './program.ts'

const limit = { timeout: 180_000 }

const notCopied = new Set(['.git', '.cache', '.sluice', 'coverage', 'dist', 'node_modules'])

/** The project as it stands, with the installed packages. */
function copyOfProject(t: TestContext): string {
  const copy = temporaryFolder(t)
  for (const name of readdirSync(projectRoot)) {
    if (!notCopied.has(name)) cpSync(join(projectRoot, name), join(copy, name), { recursive: true })
  }
  symlinkSync(join(projectRoot, 'node_modules'), join(copy, 'node_modules'))
  return copy
}

function write(copy: string, files: Readonly<Record<string, string>>): void {
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(copy, file)), { recursive: true })
    writeFileSync(join(copy, file), `// A planted breach.\n\n${text}\n`)
  }
}

const contentsOf = (copy: string): ReadonlyMap<string, string> =>
  new Map(
    globSync('{functions,knative,schemas,infra,shared,docs}/**/*.*', { cwd: copy })
      .filter((file) => statSync(join(copy, file)).isFile())
      .map((file) => [file, readFileSync(join(copy, file), 'latin1')]),
  )

async function judgeIn(copy: string, name: string): Promise<Verdict> {
  const check = checks.find((each) => each.name.startsWith(name))
  assert.ok(check !== undefined, `there is no check ${name}`)
  return verdictOf(check, copy)
}

async function verdictOf(check: Check, root: string): Promise<Verdict> {
  const verdict = await judge(check, root)
  assert.ok(!isSkipped(verdict), `${check.name} was skipped`)
  return verdict
}

function assertBites({ passed, output, read }: Verdict, ...breaches: readonly RegExp[]): void {
  assert.equal(passed, false)
  assert.ok(read > 0, `it read nothing:\n${output}`)
  for (const breach of breaches) assert.match(output, breach)
}

test('types, lint, format and unused code are found', limit, async (t) => {
  const copy = copyOfProject(t)
  write(copy, {
    'shared/time/planted-type.ts': `export const wrong: number = 'text'`,
    'shared/time/planted-lint.ts': [
      `const loose: any = process.env['HOME']`,
      `console.log(loose!)`,
      `Promise.reject(new Error('floats'))`,
      `export default loose`,
    ].join('\n'),
    'shared/time/planted-format.ts': `export const   text = "double";`,
    'local/guard/planted-unused.ts': `export const nobodyWantsMe = 1`,
    'shared/time/planted-for-tests.ts': `export const onlyTestsWantMe = 1`,
    'test/shared/time/planted.test.ts': `import { onlyTestsWantMe } from '../../../shared/time/planted-for-tests.ts'\nvoid onlyTestsWantMe`,
  })
  const [types, lint, format, unused, production] = await Promise.all([
    judgeIn(copy, 'types'),
    judgeIn(copy, 'lint'),
    judgeIn(copy, 'format'),
    judgeIn(copy, 'unused (knip)'),
    judgeIn(copy, 'unused in production'),
  ])
  assertBites(types, /planted-type\.ts\(3,14\): error TS2322/)
  assertBites(
    lint,
    ...[
      'no-explicit-any',
      'no-process-env',
      'no-console',
      'no-non-null-assertion',
      'no-floating-promises',
      'no-default-export',
    ].map((rule) => new RegExp(`planted-lint\\.ts:.*${rule}`)),
  )
  assertBites(format, /planted-format\.ts/)
  assertBites(unused, /local\/guard\/planted-unused\.ts/)
  assert.doesNotMatch(unused.output, /planted-for-tests/)
  assertBites(production, /shared\/time\/planted-for-tests\.ts/)
})

test('every layer rule finds its breach', limit, async (t) => {
  const copy = copyOfProject(t)
  const breaches: Readonly<Record<string, readonly [file: string, code: string]>> = {
    'shared/errors-imports-what-its-row-names': [
      'shared/errors/planted.ts',
      `import type { Clock } from '../time/index.ts'\nexport type Planted = Clock`,
    ],
    'kafkajs-lives-in-one-place': ['shared/database/planted-kafka.ts', `import 'kafkajs'`],
    'pg-lives-in-one-place': ['functions/gateway/planted-pg.ts', `import 'pg'`],
    'every-module-has-a-row': ['shared/planted/index.ts', `import '../errors/index.ts'`],
    'no-cycles': ['shared/time/planted-egg.ts', `import './planted-hen.ts'`],
    'shared-knows-nobody-above': ['shared/function/planted.ts', `import '../../functions/gateway/function.ts'`],
    'functions-meet-through-events-only': ['functions/gateway/planted.ts', `import '../tool-executor/function.ts'`],
    'functions-import-only-shared': ['functions/gateway/planted-local.ts', `import '../../local/guard/index.ts'`],
    'local-and-cli-see-only-contracts-of-functions': [
      'local/guard/planted.ts',
      `import '../../functions/gateway/app.ts'`,
    ],
    'local-does-not-know-the-cli': ['local/guard/planted-cli.ts', `import '../../cli/command.ts'`],
    'source-never-imports-tests': ['shared/time/planted-test.ts', `import '../../test/support/until.ts'`],
    'a-folder-is-entered-through-its-index': ['shared/config/planted.ts', `import '../errors/error-codes.ts'`],
    'a-folder-is-entered-through-its-index-from-files-beside-it': [
      'cli/planted.ts',
      `import '../shared/errors/error-codes.ts'`,
    ],
    'inside-a-folder-import-the-file': ['shared/time/planted-own-index.ts', `import './index.ts'`],
    'shipped-code-needs-no-dev-dependency': ['shared/time/planted-dev.ts', `import 'fast-check'`],
    'everything-resolves': ['shared/time/planted-lost.ts', `import './nowhere.ts'`],
  }
  write(copy, Object.fromEntries(Object.values(breaches)))
  write(copy, { 'shared/time/planted-hen.ts': `import './planted-egg.ts'` })
  const verdict = await judgeIn(copy, 'layers')
  const files = Object.entries(breaches).map(([rule, [file]]) => new RegExp(`${rule}: ${file.replaceAll('.', '\\.')}`))
  assertBites(verdict, ...files)
})

test('stale generated files and pages are found', limit, async (t) => {
  const copy = copyOfProject(t)
  appendFileSync(join(copy, 'shared/events/generated/types.ts'), '\nexport type Stray = string\n')
  const errors = join(copy, 'docs/errors.md')
  writeFileSync(errors, readFileSync(errors, 'utf8').replace(/^\| `not_found`.*\n/m, ''))
  assertBites(
    await judgeIn(copy, 'generated'),
    /generated\/types\.ts[^]*node shared\/events\/generate\/main\.ts mends this/,
    /docs\/errors\.md[^]*node test\/checks\/write-tables\.ts mends this/,
  )
})

test(
  'a number that was changed in a function.ts, and not rendered, is found: in what follows from it and nowhere else',
  limit,
  async (t) => {
    const copy = copyOfProject(t)
    const file = join(copy, 'functions/memory-replicator/function.ts')
    writeFileSync(file, readFileSync(file, 'utf8').replace('concurrency: 50', 'concurrency: 51'))
    const follows = [
      'knative/files/functions.yaml',
      'knative/rendered/made-from.sha256',
      'knative/rendered/dev/memory-replicator/service.yaml',
      'knative/rendered/production/memory-replicator/service.yaml',
    ]
    const generated = await judgeIn(copy, 'generated')
    assertBites(generated, /node cli\/main\.ts render --quiet mends this/)
    const named = [...generated.output.matchAll(/^(\S+) is not what the definitions say$/gm)].map(([, name]) => name)
    assert.deepEqual(named, follows)
    assertBites(await judgeIn(copy, 'architecture'), /run npx sluice render[^]*memory-replicator\/service\.yaml/)

    const before = contentsOf(copy)
    const { code, output } = await script(copy, ['cli/main.ts', 'render', '--quiet'])
    assert.equal(code, 0, output)
    const after = contentsOf(copy)
    assert.deepEqual(
      [...after]
        .filter(([name, text]) => before.get(name) !== text)
        .map(([name]) => name)
        .toSorted(),
      follows.toSorted(),
    )
    assert.equal((await judgeIn(copy, 'generated')).passed, true)
  },
)

test('every rule of the architecture finds its breach', limit, async (t) => {
  const copy = copyOfProject(t)
  write(copy, {
    'shared/time/time-utils.ts': `export const useful = (): number => 1`,
    'shared/time/planted-env.ts': `export const home = (): unknown => process.env['HOME']`,
    'shared/time/planted-exit.ts': `export const leave = (): void => void process.once('exit', () => {})`,
    'shared/time/planted-kafka.ts': `import 'kafkajs'`,
    'shared/time/planted-call.ts': `export const ask = (): Promise<Response> => fetch('http://example.com')`,
    'shared/time/planted-socket.ts': `import { createServer, request } from 'node:http'\nvoid [createServer, request]`,
    'functions/gateway/planted-outbound.ts': `import { createOutbound } from '../../shared/resilience/index.ts'\nvoid createOutbound({} as never, {} as never)`,
  })
  writeFileSync(join(copy, 'shared/time/planted-silent.ts'), 'export const silent = 1\n')
  const replaceIn = (file: string, from: string | RegExp, to: string): void => {
    const text = readFileSync(join(copy, file), 'utf8')
    const changed = text.replace(from, to)
    assert.notEqual(changed, text, `${file} has no ${String(from)}`)
    writeFileSync(join(copy, file), changed)
  }
  replaceIn('functions/gateway/function.ts', `name: 'gateway'`, `name: 'gate'`)
  replaceIn('docs/errors.md', '| `not_found` |', '| `lost_and_found` |')
  replaceIn('docs/metrics.md', '| `sluice_turns_total` |', '| `sluice_twists_total` |')
  replaceIn('knative/files/alerts.yaml', 'expr: max(memory_wal_lag_seconds)', 'expr: max(memory_lag)')
  replaceIn('knative/files/dashboard.json', 'sluice_model_tokens_total', 'sluice_model_words_total')
  replaceIn('docs/weaknesses.md', /^\| W-50 .*\n/m, '')
  replaceIn('functions/memory-replicator/compact.ts', 'instruments.memoryRowsFolded.inc(last)', 'void last')
  rmSync(join(copy, 'docs/runbooks/lanes-held.md'))
  replaceIn('docs/security-review.md', '“16 two hosts”', '“16 two ghosts”')
  replaceIn('shared/config/options.ts', '  modelTotalTimeoutMs:', '  modelPatienceMs:')
  rmSync(join(copy, 'schemas/events/tool.call.requested/examples'), { recursive: true })
  writeFileSync(join(copy, 'schemas/database/0099-later.sql'), 'SELECT 1;\n')
  assertBites(
    await judgeIn(copy, 'architecture'),
    /calls itself gate/,
    /tool\.call\.requested\/examples has no valid/,
    /write test\/<path>\.test\.ts[^]*shared\/time\/time-utils\.ts/,
    /lost_and_found/,
    /sluice_twists_total/,
    /a test bears the number of each[^]*W-50/,
    /observe it where it happens[^]*sluice_memory_rows_folded_total/,
    /SluiceMemoryBehind: memory_lag[^]*the dashboard: sluice_model_words_total/,
    /docs\/runbooks\/lanes-held\.md/,
    /no such test[^]*receiver\/bad-inputs\.test\.ts: 16 two ghosts/,
    /declare an option[^]*shared\/time\/planted-env\.ts/,
    /an option that changes nothing[^]*modelPatienceMs/,
    /use the port EventLog[^]*shared\/time\/planted-kafka\.ts/,
    /use createOutbound[^]*shared\/time\/planted-call\.ts\s+shared\/time\/planted-socket\.ts/,
    /put createBreaker around it[^]*functions\/gateway\/planted-outbound\.ts/,
    /be a Component instead[^]*shared\/time\/planted-exit\.ts/,
    /name the concept[^]*shared\/time\/time-utils/,
    /open the file with[^]*shared\/time\/planted-silent\.ts/,
    /0099-later\.sql/,
  )
})

test('a credential in the tree is found, whatever kind of file it is in', limit, async (t) => {
  const copy = copyOfProject(t)
  // Put together here: the test itself must not hold what the check looks for.
  const token = ['ghp', '0aB1cD2eF3gH4iJ5kL6mN7oP8qR9sT0uV1wX'].join('_')
  const key = ['-----BEGIN RSA PRIVATE', 'KEY-----\n', 'MIIEowIBAAKCAQEA0Z3VS5JJcds3xfn'.repeat(4), '\n-----END RSA PRIVATE', 'KEY-----'].join(' ').replaceAll(' \n ', '\n') // prettier-ignore
  writeFileSync(join(copy, 'knative', 'planted.yaml'), `token: ${token}\n`)
  writeFileSync(join(copy, '.ci', 'planted.pem'), `${key}\n`)
  const verdict = await judgeIn(copy, 'secrets')
  assertBites(verdict, /knative\/planted\.yaml:1: found GitHub/, /\.ci\/planted\.pem:1: found private key/i)
  assert.equal(verdict.output.includes(token), false, 'what was found is not printed')
})

test('a check that read too little has failed', async () => {
  const content: Check = {
    name: 'content',
    least: 10,
    what: 'files',
    run: () => Promise.resolve({ passed: true, read: 9, output: '' }),
  }
  const verdict = await verdictOf(content, projectRoot)
  assert.equal(verdict.passed, false)
  assert.match(verdict.output, /read 9 files, and at least 10 were expected/)
})

test('a check that throws has failed', async () => {
  const broken: Check = {
    name: 'broken',
    least: 1,
    what: 'files',
    run: () => Promise.reject(new Error('no such tool')),
  }
  assert.match((await verdictOf(broken, projectRoot)).output, /no such tool/)
})

test('a check that cannot run here says why, and has not passed', async () => {
  const run = () => Promise.resolve({ skipped: 'no Go' })
  assert.deepEqual(await judge({ name: 'skipped', least: 1, what: 'files', run }, projectRoot), { skipped: 'no Go' })
})

test('no source at all is a failure of every check that reads sources', limit, async (t) => {
  const copy = temporaryFolder(t)
  for (const file of [
    '.dependency-cruiser.cjs',
    '.oxlintrc.json',
    '.oxfmtrc.json',
    'knip.jsonc',
    'package.json',
    'tsconfig.json',
  ]) {
    cpSync(join(projectRoot, file), join(copy, file))
  }
  for (const folder of ['shared', 'functions', 'local', 'cli', 'test']) mkdirSync(join(copy, folder))
  symlinkSync(join(projectRoot, 'node_modules'), join(copy, 'node_modules'))
  const passed = await Promise.all(
    checks.map(async (check) => ((await verdictOf(check, copy)).passed ? [check.name] : [])),
  )
  assert.deepEqual(passed.flat(), [])
})
