// What the compiler and the layer rules cannot see: that names, folders, schemas, tests and pages belong together.
// Each rule says how much it must have read, so that a moved folder cannot make it content with nothing.

import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { parse as parseYaml } from 'yaml'
import { options } from '../shared/config/options.ts'
import { errorCodes } from '../shared/errors/index.ts'
import { createInstruments } from '../shared/telemetry/index.ts'
import { metricRows } from './checks/metric-rows.ts'
import { metricsIn } from './checks/promql-metrics.ts'
import { driftOf, renderProject } from '../cli/render-project.ts'
import { projectRoot } from './support/places.ts'

const read = (file: string): string => readFileSync(join(projectRoot, file), 'utf8')
const list = (...patterns: string[]): readonly string[] => globSync(patterns, { cwd: projectRoot }).toSorted()

const sources = list('{shared,functions,local,cli}/**/*.{ts,js}').filter((file) => !file.includes('/generated/'))
const tests = list('test/**/*.ts')

function assertNone(found: readonly string[], remedy: string): void {
  if (found.length > 0) assert.fail(`${remedy}:\n  ${found.join('\n  ')}`)
}

interface Definition {
  readonly file: string
  readonly folder: string
  readonly name: string
  readonly consumes: readonly { readonly topic: unknown; readonly type: { readonly type: string } }[]
}

async function definitions(): Promise<readonly Definition[]> {
  const files = list('functions/*/function.ts')
  return Promise.all(
    files.map(async (file) => {
      const exported = Object.values((await import(pathToFileURL(join(projectRoot, file)).href)) as object)
      const contract = exported.find((value) => typeof value === 'object' && value !== null && 'kind' in value) as
        | { readonly name: string; readonly consumes?: unknown }
        | undefined
      assert.ok(contract !== undefined, `${file} exports no contract made by defineFunction or defineHttpFunction`)
      const consumes = Array.isArray(contract.consumes) ? (contract.consumes as Definition['consumes']) : []
      return { file, folder: basename(dirname(file)), name: contract.name, consumes }
    }),
  )
}

test('a function has one name: that of its folder, its contract and its manifests', async () => {
  const all = await definitions()
  assert.ok(all.length >= 3, `only ${all.length} functions were read`)
  const faults = all.flatMap(({ folder, name, file }) => [
    ...(name === folder ? [] : [`${file} calls itself ${name}`]),
    ...['main.ts', 'README.md']
      .filter((part) => !existsSync(join(projectRoot, 'functions', folder, part)))
      .map((part) => `functions/${folder} has no ${part}`),
    ...['dev', 'production']
      .filter((environment) => !existsSync(join(projectRoot, 'knative', 'rendered', environment, name, 'service.yaml')))
      .map((environment) => `knative/rendered/${environment} has no ${name}`),
  ])
  assertNone(faults, 'one name, and a folder that is complete')
})

test('what follows from the functions is what they say', async () => {
  const rendering = await renderProject(projectRoot)
  assert.ok(rendering.files.size >= 5, `only ${rendering.files.size} files were read`)
  const { stale, leftOver } = driftOf(projectRoot, rendering)
  assertNone([...stale, ...leftOver], 'a definition was changed: run npx sluice render, and commit what it writes')
})

test('every consumed type has a schema with examples that fit and examples that do not', async () => {
  const types = new Set((await definitions()).flatMap(({ consumes }) => consumes.map(({ type }) => type.type)))
  assert.ok(types.size >= 3, `only ${types.size} consumed types were read`)
  for (const type of types) assertHasSchema(type)
})

test('every schema of an event has examples that fit and examples that do not', () => {
  const schemas = list('schemas/events/*/v*.schema.json')
  assert.ok(schemas.length >= 5, `only ${schemas.length} schemas were read`)
  for (const schema of schemas) {
    const [, , type = '', file = ''] = schema.split('/')
    assertHasSchema(`${type}.${file.replace('.schema.json', '')}`)
  }
})

function assertHasSchema(type: string): void {
  const [, name = '', version = ''] = /^(.+)\.(v\d+)$/.exec(type) ?? []
  const folder = `schemas/events/${name}`
  assert.ok(
    existsSync(join(projectRoot, folder, `${version}.schema.json`)),
    `${folder}/${version}.schema.json is missing for ${type}`,
  )
  for (const kind of ['valid', 'invalid']) {
    assert.ok(list(`${folder}/examples/${kind}-*.json`).length > 0, `${folder}/examples has no ${kind}-*.json`)
  }
}

/** Sources that no test of their module imports, and which test proves them all the same. */
const provenElsewhere: Readonly<Record<string, string>> = {
  'cli/image/main.ts': 'test/cli/build.test.ts starts every function by it, from the files of the image',
  'cli/setup-lock.js': 'test/cli/setup.test.ts runs set-ups at once, and after one that was killed',
  'cli/setup.js': 'test/cli/setup.test.ts runs it as the process it is',
  'cli/sluice.js': 'test/cli/sluice.test.ts runs it as the process it is',
}

/** Composition roots hold no behaviour of their own: tests of the whole platform run them as processes. */
const isRoot = (file: string): boolean => /^functions\/[^/]+\/main\.ts$/.test(file)

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

/** The codes or names in the first column of a page's table. */
const firstColumn = (page: string): readonly string[] =>
  [...read(page).matchAll(/^\| `([^`]+)` \|/gm)].map(([, name = '']) => name)

test('docs/errors.md and the declared codes agree both ways', () => {
  const written = firstColumn('docs/errors.md')
  assert.ok(written.length >= 40, `only ${written.length} codes were read`)
  assert.deepEqual(written, Object.keys(errorCodes), 'node test/checks/write-tables.ts writes the table')
})

test('docs/metrics.md and the declared metrics agree both ways', () => {
  const written = firstColumn('docs/metrics.md')
  assert.ok(written.length >= 15, `only ${written.length} metrics were read`)
  const declared = metricRows(createInstruments({ function: 'docs' })).map(({ name }) => name)
  assert.deepEqual(written, declared, 'node test/checks/write-tables.ts writes the table')
})

test('W-41: every declared metric is observed, but for those of which docs/metrics.md says that nothing does', () => {
  const { registry: _registry, collectNodeMetrics: _node, ...metrics } = createInstruments({ function: 'test' })
  const names = Object.entries(metrics).map(([key, metric]) => ({
    key,
    name: (metric as unknown as { name: string }).name,
  }))
  assert.ok(names.length >= 50, `only ${names.length} metrics were read`)
  const code = sources.filter((file) => file !== 'shared/telemetry/instruments.ts').map(read)
  const unseen = names.filter(({ key }) => {
    const observed = `\\b${key}\\.(?:inc|dec|set|observe|labels|collect)\\b`
    const handedOver = `\\binstruments\\.${key}\\b|\\b${key}: \\w+ \\} = instruments\\b`
    return !code.some((text) => new RegExp(`${observed}|${handedOver}`).test(text))
  })
  const [admitted = ''] = /^.+ are declared because[^]+?nothing observes them/m.exec(read('docs/metrics.md')) ?? []
  assert.deepEqual(
    unseen.map(({ name }) => name),
    [...admitted.matchAll(/`(\w+)`/g)].map(([, name]) => name),
    'observe it where it happens, or say in docs/metrics.md why nothing does',
  )
})

interface AlertRule {
  readonly alert: string
  readonly expr: string
  readonly annotations?: { readonly summary?: string; readonly runbook?: string }
}

const alerts = (): readonly AlertRule[] =>
  (
    parseYaml(read('knative/files/alerts.yaml')) as { groups: readonly { rules: readonly AlertRule[] }[] }
  ).groups.flatMap(({ rules }) => rules)

/** Of every panel, and of the variables. */
function dashboardQueries(): readonly string[] {
  const texts: string[] = []
  JSON.parse(read('knative/files/dashboard.json'), (key, value: unknown) => {
    if (key === 'expr' && typeof value === 'string') texts.push(value)
    const variable = key === 'query' && typeof value === 'string' ? /^label_values\((.+), \w+\)$/.exec(value) : null
    if (variable?.[1] !== undefined) texts.push(variable[1])
    return value
  })
  return texts
}

test('alerts and dashboard ask for metrics that exist', async () => {
  const instruments = createInstruments({ function: 'test' })
  instruments.collectNodeMetrics()
  const text = await instruments.registry.metrics()
  const exposed = new Set(['up', ...[...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name = '']) => name)])
  for (const { name, kind } of metricRows(instruments))
    if (kind === 'histogram') for (const suffix of ['bucket', 'sum', 'count']) exposed.add(`${name}_${suffix}`)
  const queries = [
    ...alerts().map(({ alert, expr }) => [alert, expr] as const),
    ...dashboardQueries().map((expr) => ['the dashboard', expr] as const),
  ]
  assert.ok(queries.length >= 60, `only ${queries.length} queries were read`)
  const strange = queries.flatMap(([where, expr]) => {
    const metrics = metricsIn(expr)
    const unknown = metrics.filter((name) => !exposed.has(name)).map((name) => `${where}: ${name}`)
    return metrics.length === 0 ? [`${where} asks for nothing: ${expr}`] : unknown
  })
  assertNone(strange, 'no such metric; docs/metrics.md has them all')
})

test('every alert has a runbook, and every runbook an alert', () => {
  const runbookOf = ({ alert }: AlertRule): string =>
    `docs/runbooks/${alert
      .replace(/^Sluice/, '')
      .replaceAll(/(?<=.)([A-Z])/g, '-$1')
      .toLowerCase()}.md`
  const all = alerts()
  assert.ok(all.length >= 15, `only ${all.length} alerts were read`)
  const named = all.filter((rule) => rule.annotations?.runbook !== runbookOf(rule)).map(({ alert }) => alert)
  assertNone(named, "name the alert's own runbook, docs/runbooks/<alert>.md, in its annotations")
  assert.deepEqual(list('docs/runbooks/*.md'), all.map(runbookOf).toSorted())
  const silent = all.filter((rule) => !read(runbookOf(rule)).startsWith(`# ${rule.alert}\n`)).map(({ alert }) => alert)
  assertNone(silent, 'a runbook opens with the name of its alert')
})

/** `file below test` “title” · “title” */
const namedTests = /`([\w./-]+)` (“[^”]+”(?: · “[^”]+”)*)/g

function testsNamedIn(text: string): readonly { readonly file: string; readonly title: string }[] {
  return [...text.matchAll(namedTests)].flatMap(([, name = '', titles = '']) =>
    [...titles.matchAll(/“([^”]+)”/g)].map(([, title = '']) => ({ file: fileOfTests(name), title })),
  )
}

const fileOfTests = (name: string): string =>
  [`test/${name}.test.ts`, `test/${name}.ts`].find((file) => existsSync(join(projectRoot, file))) ??
  `test/${name}.test.ts`

/** Whether the file has it as a whole literal: the title of a test, or the name of a row that makes one. */
function hasLiteral(file: string, text: string): boolean {
  if (!existsSync(join(projectRoot, file))) return false
  const code = withoutComments(read(file))
  return [`'${text}'`, `"${text}"`, `\`${text}\``].some((literal) => code.includes(literal))
}

test('docs/security-review.md names tests and files that exist', () => {
  const page = read('docs/security-review.md')
  const named = testsNamedIn(page)
  assert.ok(named.length >= 100, `only ${named.length} tests were read`)
  const gone = named.filter(({ file, title }) => !hasLiteral(file, title)).map(({ file, title }) => `${file}: ${title}`)
  assertNone(gone, 'no such test: name the one that holds it now, or say none')
  const rows = [...page.matchAll(/^\| (?!An attacker)([^|]+) \| [^|]+ \| `([^`|]+)` \| ([^|]+) \|$/gm)]
  const tableLines = page.split('\n').filter((line) => /^\| (?!An attacker)/.test(line))
  assert.equal(rows.length, tableLines.length, 'a row has four cells: what is wanted, control, one file, tests')
  const lost = rows.filter(([, , file = '']) => !existsSync(join(projectRoot, file))).map(([, , file = '']) => file)
  assertNone(lost, 'no such file')
  const claims = rows.filter(([, , , held = '']) => held !== 'none' && testsNamedIn(held).length === 0)
  assertNone(
    claims.map(([, wanted = '']) => wanted),
    'a control without a test: name it, or say none',
  )
})

/** Who may look at the environment: the options, what hands it to the processes of a command, and the set-up before all. */
const environmentReaders = ['shared/config/load-config.ts', 'cli/environment.ts', 'cli/setup.js']

test('the environment is read in one place', () => {
  const readers = sources.filter((file) =>
    /\bprocess\s*\.\s*env\b|\benv\b[^'"\n]*from 'node:process'/.test(withoutComments(read(file))),
  )
  assertNone(
    readers.filter((file) => !environmentReaders.includes(file)),
    'declare an option in shared/config/options.ts',
  )
  assert.ok(readers.includes('shared/config/load-config.ts'), 'the one place was not found')
})

test('every option is read by someone', () => {
  const names = Object.keys(options)
  assert.ok(names.length >= 20, `only ${names.length} options were read`)
  const readers = sources.filter((file) => !file.startsWith('shared/config/')).map(read)
  const unread = names.filter((name) => !readers.some((text) => new RegExp(`\\b${name}\\b`).test(text)))
  assertNone(unread, 'an option that changes nothing misleads; use it or remove it')
})

const withoutComments = (text: string): string => text.replaceAll(/^\s*(?:\/\/|\*|\/\*).*$/gm, '')

test('kafkajs is known to the event log only', () => {
  const users = sources.filter((file) => /['"]kafkajs['"]/.test(read(file)))
  assert.ok(users.length > 0, 'nobody imports kafkajs')
  assertNone(
    users.filter((file) => !file.startsWith('shared/event-log/')),
    'use the port EventLog',
  )
})

/** Who may open connections to somebody else, and why it does so itself. Everyone else goes through shared/resilience. */
const callersOut: Readonly<Record<string, string>> = {
  'shared/resilience/outbound/': 'the one HTTP client',
  'shared/database/': 'pg, with limits on connections, statements and locks',
  'shared/event-log/kafka/': 'kafkajs, with its own back-off; the outbox stands behind publishing',
  'shared/key-value/redis/': 'ioredis; what it holds may vanish',
  'shared/telemetry/otlp-exporter.ts': 'spans: bounded, tried twice, and lost rather than waited for',
  'shared/function/operations/ask-receiver.ts': 'asks the own process whether it still listens',
  'local/': 'the platform on one machine and its clients: no part of a function',
}

const waysOut = [
  /\bfetch\(/,
  /from '(?:undici|pg|ioredis|kafkajs|ws|axios|got)'/,
  /import \{[^}]*\b(?:request|get|connect|createConnection|Socket|Agent)\b[^}]*\} from '(?:node:)?(?:http|https|http2|net|tls|dgram)'/,
  /import [\w*][^\n{]* from '(?:node:)?(?:http|https|http2|net|tls|dgram)'/,
  /\bimport\('(?:node:)?(?:http|https|http2|net|tls|dgram|undici|pg|ioredis|kafkajs)'\)/,
  /\bnew (?:WebSocket|EventSource)\(/,
]

test('calls to the outside go through shared/resilience', () => {
  const opening = sources.filter((file) => {
    const code = withoutComments(read(file)).replaceAll(/^import type .*$/gm, '')
    // A method called fetch is somebody's own.
    return waysOut.some((way) => way.test(code.replaceAll(/[\w)]\.fetch\(|\btype \w+/g, '')))
  })
  const places = Object.keys(callersOut)
  assertNone(
    places.filter((place) => !opening.some((file) => file.startsWith(place))),
    'nobody calls out from here any more: remove it from callersOut',
  )
  assertNone(
    opening.filter((file) => !places.some((place) => file.startsWith(place))),
    'use createOutbound or createUntrustedOutbound of shared/resilience, behind a breaker',
  )
})

/** Clients of shared/resilience that need no breaker. */
const withoutBreaker: Readonly<Record<string, string>> = {
  'shared/delivery/lanes/lane-driver.ts': 'rests.ts lets a function that cannot be reached rest, a failure at a time',
  'functions/gateway/compose.ts': 'one dry run for one request of an operator',
  'cli/commands/dead-letters.ts': 'one dry run for one command',
}

test('whoever calls a dependency has a breaker around it', () => {
  const callers = sources.filter(
    (file) =>
      /\bcreate(?:Untrusted)?Outbound\(/.test(withoutComments(read(file))) && !file.startsWith('shared/resilience/'),
  )
  assert.ok(callers.length >= 4, `only ${callers.length} callers were read`)
  const guarded = (file: string): boolean =>
    list(`${dirname(file)}/*.ts`).some((sibling) => /\bcreateBreaker\(/.test(read(sibling)))
  assertNone(
    callers.filter((file) => !guarded(file) && !(file in withoutBreaker)),
    'put createBreaker around it, or say in withoutBreaker what stands in its place',
  )
  assertNone(
    Object.keys(withoutBreaker).filter((file) => !callers.includes(file)),
    'it calls nothing any more: remove it from withoutBreaker',
  )
})

test('signals and the end of the process belong to lifecycle and the commands', () => {
  const users = sources.filter((file) => /\bprocess\s*\.\s*(?:on|once|exit)\(/.test(withoutComments(read(file))))
  assert.ok(
    users.some((file) => file.startsWith('shared/lifecycle/')),
    'lifecycle does not listen to signals',
  )
  assertNone(
    users.filter((file) => !/^(shared\/lifecycle|cli)\//.test(file)),
    'be a Component instead',
  )
})

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
