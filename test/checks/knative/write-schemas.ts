// Writes schemas/generated from the CustomResourceDefinitions in Knative's module zips. Committed, so that manifests are validated
// where there is no Go, too.  node test/checks/knative/write-schemas.ts [--check]

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import type { JsonObject } from '../../../cli/doctor/manifest.ts'
import { projectRoot } from '../../support/places.ts'
import { isSkipped } from '../check.ts'
import { moduleFolder } from './go-tools.ts'
import { schemasOf } from './strict-schema.ts'

const definitions = {
  'knative.dev/serving': ['service', 'domain-mapping'].map((name) => `config/core/300-resources/${name}.yaml`),
  'knative.dev/eventing': ['config/core/resources/pingsource.yaml'],
}
const target = join(projectRoot, 'test/checks/knative/schemas/generated')

const files: [string, string][] = []
for (const [module, paths] of Object.entries(definitions)) {
  const folder = await moduleFolder(projectRoot, 'knvalidate', module)
  if (isSkipped(folder)) {
    console.log(folder.skipped)
    process.exit(0)
  }
  for (const path of paths)
    for (const [name, schema] of schemasOf(parse(readFileSync(join(folder, path), 'utf8')) as JsonObject))
      files.push([join(target, `${name}.json`), `${JSON.stringify(schema)}\n`])
}

const stale = files.filter(([path, text]) => !existsSync(path) || readFileSync(path, 'utf8') !== text)
if (process.argv.includes('--check')) {
  for (const [path] of stale) console.log(`${path} is not what its CustomResourceDefinition gives`)
  process.exitCode = stale.length === 0 ? 0 : 1
} else {
  mkdirSync(target, { recursive: true })
  for (const [path, text] of stale) writeFileSync(path, text)
}
console.log(`${files.length} schemas, ${stale.length} of them new`)
