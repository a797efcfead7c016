// node test/checks/terraform/provider/write-schema.ts: writes aws-schema.json for the types of aws-types.ts, from the npm package that
// was generated from hashicorp/aws. CDKTF has ended, so 6.25.0 is the last one; what is newer reads as unknown to the check.

import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { projectCache } from '../../../support/places.ts'
import { dataSourceTypes, optionalAndComputed, resourceTypes } from './aws-types.ts'
import { readGeneratedClass, type GeneratedClass } from './read-generated-class.ts'

const name = '@cdktf/provider-aws'
const version = '21.22.1'

const folder = join(projectCache, `provider-aws-${version}`)
if (!existsSync(join(folder, 'package'))) {
  mkdirSync(folder, { recursive: true })
  execFileSync('npm', ['pack', '--silent', `${name}@${version}`], { cwd: folder })
  execFileSync('tar', ['xzf', `cdktf-provider-aws-${version}.tgz`], { cwd: folder })
}

const computed = (type: string): readonly string[] => [
  ...(optionalAndComputed['*'] ?? []),
  ...(optionalAndComputed[type] ?? []),
]
const read = (path: string): GeneratedClass => readGeneratedClass(join(folder, 'package', 'lib', path), computed)
const dashed = (type: string): string => type.replaceAll('_', '-')
const byType = (classes: readonly GeneratedClass[]) =>
  Object.fromEntries(classes.map(({ type, block }) => [type, { block }]))

const resources = resourceTypes.map((type) => read(dashed(type)))
const dataSources = dataSourceTypes.map((type) => read(`data-aws-${dashed(type)}`))
const { alias: _, ...providerAttributes } = read('provider').block.attributes // `alias` is Terraform's own
const schema = {
  version: resources[0]?.version ?? '',
  provider: {
    block: {
      attributes: Object.fromEntries(
        Object.entries(providerAttributes).map(([key, { computed: __, ...rest }]) => [key, rest]),
      ),
      block_types: read('provider').block.block_types,
    },
  },
  resource_schemas: byType(resources),
  data_source_schemas: byType(dataSources),
}
writeFileSync(new URL('aws-schema.json', import.meta.url), `${JSON.stringify(schema)}\n`)
console.log(`hashicorp/aws ${schema.version}: ${resources.length} resources, ${dataSources.length} data sources`)
