// The chart as it lies in the project, by what Helm makes of it with the values of a test.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { parseAllDocuments, stringify } from 'yaml'
import { findHelm } from '../../../cli/knative/helm.ts'
import { installedFunctions } from '../../../local/platform/index.ts'
import { projectRoot, temporaryFolder } from '../../support/index.ts'

export const helm = findHelm(projectRoot)
export const skip = helm === undefined ? 'there is no Helm here' : false
export const definitions = await installedFunctions(projectRoot)
export const names = definitions.map(({ name }) => name)

export interface Resource {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly annotations?: Readonly<Record<string, string>>
    readonly labels?: Readonly<Record<string, string>>
  }
  // oxlint-disable-next-line typescript/no-explicit-any -- manifests of many kinds, read by path
  readonly spec: any
}

export interface EnvironmentVariable {
  readonly name: string
  readonly valueFrom?: { readonly secretKeyRef: { readonly name: string } }
}

export const required = {
  image: { repository: 'registry.example.com/sluice' },
  kafka: { bootstrapServers: ['kafka:9092'] },
  secrets: { database: { name: 'database' }, model: { name: 'model' }, memory: { name: 'memory' } },
}

export const external = {
  ...required,
  secrets: {},
  kafka: {
    ...required.kafka,
    tls: { enabled: true },
    sasl: { enabled: true, type: { name: 'k' }, user: { name: 'k' }, password: { name: 'k' } },
  },
  externalSecrets: {
    enabled: true,
    aws: { region: 'eu-west-1' },
    database: { secret: 'postgres', host: 'db.example.com' },
    redis: { secret: 'redis', host: 'redis.example.com' },
    kafka: { secret: 'kafka' },
    model: { secret: 'model' },
    memory: { secret: 'memory' },
  },
}

export function rendered(t: TestContext, values: object): readonly Resource[] {
  const valuesFile = join(temporaryFolder(t), 'values.yaml')
  writeFileSync(valuesFile, stringify(values))
  const chart = join(projectRoot, 'knative')
  const text = helm?.template({ chart, release: 'sluice', namespace: 'test', valuesFile }) ?? ''
  return parseAllDocuments(text).map((document) => document.toJS() as Resource)
}

export const ofKind = (resources: readonly Resource[], kind: string): readonly Resource[] =>
  resources.filter((resource) => resource.kind === kind && !resource.metadata.name.endsWith('-metrics'))
export const kinds = (resources: readonly Resource[]): readonly string[] =>
  [...new Set(resources.map(({ kind }) => kind))].toSorted()
