// Knative's custom resources, settings and webhook configurations from its module zips, into a cluster. Resources whose definitions
// are in no package get one from schemas/own, and those of other operators one that takes everything.

import { globSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { isObject, objectAt, type JsonObject } from '../../../../cli/doctor/manifest.ts'
import { isSkipped } from '../../check.ts'
import { moduleFolder } from '../go-tools.ts'
import type { Cluster } from './start-cluster.ts'

const resources: Readonly<Record<string, readonly string[]>> = {
  'knative.dev/serving': ['config/core/100-namespace.yaml', 'config/core/300-resources'],
  'knative.dev/networking': ['certificate', 'domain-claim', 'ingress', 'serverlessservice'].map(
    (name) => `config/${name}.yaml`,
  ),
  'knative.dev/caching': ['config/image.yaml'],
  'knative.dev/eventing': ['config/core/resources'],
}
const settings: Readonly<Record<string, readonly string[]>> = {
  'knative.dev/serving': ['config/core/200-serviceaccount.yaml', 'config/core/configmaps'],
  'knative.dev/networking': ['config/config-network.yaml'],
}
const webhooks = { 'knative.dev/serving': ['config/core/webhooks'] }
/** Of operators that are not Knative's. */
const others = [
  ['monitoring.coreos.com', 'PodMonitor', 'v1'],
  ['monitoring.coreos.com', 'ServiceMonitor', 'v1'],
  ['monitoring.coreos.com', 'PrometheusRule', 'v1'],
  ['external-secrets.io', 'ExternalSecret', 'v1'],
  ['external-secrets.io', 'SecretStore', 'v1'],
] as const

export async function installKnative(root: string, cluster: Cluster): Promise<void> {
  await applyParts(root, cluster, resources)
  const definitions = [
    ...others.map(([group, kind, version]) => definitionOf({ group, kind, versions: { [version]: open } })),
    ...ownDefinitions(root),
  ]
  await mustApply(cluster, ['-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items: definitions }))
  await applyParts(root, cluster, settings)
  await applyParts(root, cluster, webhooks)
  await cluster.startWebhook()
  const established = ['wait', '--for=condition=Established', 'crd', '--all', '--timeout=60s']
  const { code, output } = await cluster.kubectl(established)
  if (code !== 0) throw new Error(output)
}

async function applyParts(
  root: string,
  cluster: Cluster,
  parts: Readonly<Record<string, readonly string[]>>,
): Promise<void> {
  for (const [module, paths] of Object.entries(parts)) {
    const folder = await moduleFolder(root, 'knvalidate', module)
    if (isSkipped(folder)) throw new Error(folder.skipped)
    await mustApply(
      cluster,
      paths.flatMap((path) => ['-f', join(folder, path)]),
    )
  }
}

async function mustApply({ kubectl }: Cluster, args: readonly string[], input?: string): Promise<void> {
  // Knative's own manifests may be warned of: what is judged is ours.
  const { code, output } = await kubectl(['apply', '--warnings-as-errors=false', ...args], input)
  if (code !== 0) throw new Error(output)
}

const open: JsonObject = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }

interface Definition {
  readonly group: string
  readonly kind: string
  readonly versions: Readonly<Record<string, JsonObject>>
}

function ownDefinitions(root: string): readonly JsonObject[] {
  const folder = join(root, 'test/checks/knative/schemas/own')
  const byKind = new Map<string, Definition>()
  for (const file of globSync('*.json', { cwd: folder }).toSorted()) {
    const [group = '', kind = '', version = ''] = basename(file, '.json').split('_')
    const schema = structural(withoutHead(JSON.parse(readFileSync(join(folder, file), 'utf8'))))
    const known = byKind.get(kind) ?? { group, kind, versions: {} }
    byKind.set(kind, { ...known, versions: { ...known.versions, [version]: isObject(schema) ? schema : open } })
  }
  return [...byKind.values()].map(definitionOf)
}

function definitionOf({ group, kind, versions }: Definition): JsonObject {
  const singular = kind.toLowerCase()
  const plural = `${singular}s`
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      names: { kind, plural, singular, listKind: `${kind}List` },
      scope: 'Namespaced',
      versions: Object.entries(versions).map(([name, schema], at) => ({
        name,
        served: true,
        storage: at === 0,
        schema: { openAPIV3Schema: schema },
      })),
    },
  }
}

/** apiVersion, kind and metadata are the API server's own. */
function withoutHead(schema: unknown): JsonObject {
  const { spec, status } = objectAt(schema, ['properties'])
  return { type: 'object', properties: { spec, status } }
}

/** What a definition's schema may not have: unknown fields are refused by kubectl all the same. */
const unstructural = ['$comment', 'const', 'propertyNames', 'pattern']

function structural(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(structural)
  if (!isObject(schema)) return schema
  const kept = Object.entries(schema).filter(
    ([name, value]) => !unstructural.includes(name) && !(name === 'additionalProperties' && value === false),
  )
  const inner = Object.fromEntries(kept.map(([name, value]) => [name, structural(value)]))
  // `enum` and `const` say no type of their own.
  const untyped = schema['type'] === undefined && (schema['enum'] !== undefined || schema['const'] !== undefined)
  const isOpen =
    schema['type'] === 'object' && schema['properties'] === undefined && !isObject(schema['additionalProperties'])
  return {
    ...inner,
    ...(untyped ? { type: 'string' } : {}),
    ...(isOpen ? { 'x-kubernetes-preserve-unknown-fields': true } : {}),
  }
}
