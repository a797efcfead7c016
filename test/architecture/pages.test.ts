// Pages and the code that they speak of agree both ways.

import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parse as parseYaml } from 'yaml'
import { errorCodes } from '../../shared/errors/index.ts'
import { createInstruments } from '../../shared/telemetry/index.ts'
import { metricRows } from '../checks/metric-rows.ts'
import { metricsIn } from '../checks/promql-metrics.ts'
import { projectRoot } from '../support/places.ts'
import { assertNone, list, read, sources, tests, withoutComments } from './project-files.ts'

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

test('docs/weaknesses.md and the numbers in the titles of tests agree both ways', () => {
  const listed = [...read('docs/weaknesses.md').matchAll(/^\| (W-\d+[a-z]?) \|/gm)].map(([, number = '']) => number)
  assert.ok(listed.length >= 25, `only ${listed.length} weaknesses were read`)
  const titles = tests
    .filter((file) => file.endsWith('.test.ts'))
    .flatMap((file) => [...read(file).matchAll(/(['`])(?:(?!\1).)*\1/g)])
  const borne = titles.flatMap(([text]) => [...text.matchAll(/\bW-\d+[a-z]?\b/g)].map(([number]) => number))
  assert.deepEqual(
    listed.toSorted(),
    [...new Set(borne)].toSorted(),
    'a test bears the number of each, and each number has its line',
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
