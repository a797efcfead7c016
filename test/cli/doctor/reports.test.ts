import { Ajv } from 'ajv'
import addFormats from 'ajv-formats'
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { command } from '../../../cli/commands/doctor.ts'
import { diagnose, jsonReport, readManifests, rules, sarifReport, textReport } from '../../../cli/doctor/index.ts'
import { projectRoot } from '../../support/places.ts'
import { temporaryFolder } from '../../support/index.ts'

const folder = join(projectRoot, 'test/fixtures/doctor')

function diagnosis() {
  const { files, manifests, findings } = readManifests([folder], () => '')
  return { files, manifests: manifests.length, rules, findings: [...findings, ...diagnose(manifests, rules)] }
}

test('the SARIF report is valid by the schema of SARIF 2.1.0', () => {
  const ajv = new Ajv({ strict: false, allErrors: true, unicodeRegExp: false })
  addFormats.default(ajv)
  const schema: unknown = JSON.parse(
    readFileSync(join(projectRoot, 'test/fixtures/sarif/sarif-2.1.0.schema.json'), 'utf8'),
  )
  // A draft 7 schema that only says its id as draft 4 does.
  const { id: _id, $schema: _draft, ...rules7 } = schema as Record<string, unknown>
  const validate = ajv.compile(rules7)
  const log: unknown = JSON.parse(sarifReport(diagnosis()))
  assert.ok(validate(log), ajv.errorsText(validate.errors))
  const { results } = (log as { runs: [{ results: readonly { ruleId: string; ruleIndex?: number }[] }] }).runs[0]
  assert.ok(results.length >= 60)
  for (const { ruleId, ruleIndex } of results)
    assert.ok(ruleIndex === undefined || rules[ruleIndex]?.id === ruleId, ruleId)
  assert.equal(validate({ version: '2.1.0', runs: [{ results: [{ level: 'fatal' }] }] }), false)
})

test('the JSON report has each finding with its place and references', () => {
  const report = JSON.parse(jsonReport(diagnosis())) as { files: number; findings: readonly Record<string, unknown>[] }
  assert.ok(report.files >= 40)
  const zero = report.findings.find(({ rule }) => rule === 'backoff-zero')
  assert.match(String(zero?.['file']), /backoff-zero\.yaml$/)
  assert.equal(zero?.['line'], 19)
  assert.match(JSON.stringify(zero?.['references']), /kafka-source\.md K12/)
})

test('the text report begins with the errors and ends with what was read', () => {
  const lines = textReport(diagnosis()).split('\n')
  assert.match(lines[0] ?? '', /^error /)
  assert.match(lines.at(-1) ?? '', /^\d+ objects in \d+ files, \d+ rules: \d+ errors, \d+ warnings, \d+ notes$/)
})

test('an object of a List is found at its own line, and an alias at its anchor’s use', (t) => {
  const file = join(temporaryFolder(t), 'list.yaml')
  const item = `  - apiVersion: sources.knative.dev/v1
    kind: KafkaSource
    metadata: { name: a }
    spec: { initialOffset: latest, consumerGroup: a }
`
  writeFileSync(file, `apiVersion: v1\nkind: List\nitems:\n${item}`)
  const { manifests } = readManifests([file], () => '')
  const latest = diagnose(manifests, rules).find(({ rule }) => rule === 'initial-offset-latest')
  assert.equal(latest?.place.line, 7)
})

test('the command ends with 1 for errors, 0 for warnings and notes, 2 when called wrongly or for nothing', async (t) => {
  t.mock.method(console, 'log', () => undefined)
  t.mock.method(console, 'error', () => undefined)
  const empty = temporaryFolder(t)
  assert.equal(await command.run([folder]), 1)
  assert.equal(await command.run([join(folder, 'clean.yaml'), '--format', 'sarif']), 0)
  assert.equal(await command.run([join(folder, 'retry-after-max-ignored.yaml')]), 0)
  assert.equal(await command.run(['--rules']), 0)
  for (const args of [[], [folder, '--format', 'xml'], [join(folder, 'gone.yaml')], [empty]])
    assert.equal(await command.run(args), 2, args.join(' '))
})
