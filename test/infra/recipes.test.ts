// infra/recipes: every file in at least one combination, each through the schema of the values, Helm and doctor.

import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parse, parseAllDocuments } from 'yaml'
import { findHelm } from '../../cli/knative/helm.ts'
import { judgeManifests, manifestsOf } from '../checks/terraform/values-bridge.ts'
import { projectRoot } from '../support/index.ts'

const folder = join(projectRoot, 'infra/recipes')
const skip = findHelm(projectRoot) === undefined ? 'there is no Helm here' : false

const combinations: readonly (readonly string[])[] = [
  ['stores-by-url', 'kafka-redpanda', 'buckets-s3-compatible'],
  ['stores-by-url', 'kafka-aiven'],
  ['stores-by-url', 'kafka-strimzi'],
  ['secrets-vault', 'kafka-redpanda', 'buckets-s3-compatible'],
  ['secrets-vault', 'kafka-strimzi'],
]

const valuesOf = (name: string): object => parse(readFileSync(join(folder, `${name}.yaml`), 'utf8')) as object

test('every recipe is in a combination, and on the page', () => {
  const files = globSync('*.yaml', { cwd: folder }).map((file) => file.replace('.yaml', ''))
  const page = readFileSync(join(folder, 'README.md'), 'utf8')
  assert.deepEqual(files.toSorted(), [...new Set(combinations.flat())].toSorted())
  for (const file of files) assert.match(page, new RegExp(`\\[${file}\\.yaml\\]\\(${file}\\.yaml\\)`))
})

for (const names of combinations) {
  test(`${names.join(' with ')}: Helm takes it, and doctor finds no error`, { skip }, () => {
    const text = manifestsOf(projectRoot, ...names.map((name) => valuesOf(name)))
    const { errors, read } = judgeManifests(text)
    assert.deepEqual(errors, [])
    assert.ok(read > 30, `only ${read} manifests`)
    assert.deepEqual(unmade(text, names), [])
  })
}

/** Keys of Secrets that manifests ask for, of a Secret that the chart has made by the store and that lacks them. */
function unmade(text: string, names: readonly string[]): readonly string[] {
  if (!names.includes('secrets-vault')) return []
  const documents = parseAllDocuments(text).map((document) => document.toJS() as ExternalSecret)
  const made = documents
    .filter(({ kind }) => kind === 'ExternalSecret')
    .flatMap(({ spec: { target } }) => Object.keys(target.template.data).map((key) => `${target.name}/${key}`))
  const makers = new Set(made.map((path) => path.split('/')[0]))
  const asked = [...JSON.stringify(documents).matchAll(/"secretKeyRef":\{"name":"([^"]+)","key":"([^"]+)"\}/g)]
  assert.ok(asked.length > 20)
  return asked.map(([, name = '', key = '']) => `${name}/${key}`).filter((path) => makers.has(path.split('/')[0]) && !made.includes(path)) // prettier-ignore
}

interface ExternalSecret {
  readonly kind: string
  readonly spec: { readonly target: { readonly name: string; readonly template: { readonly data: object } } }
}
