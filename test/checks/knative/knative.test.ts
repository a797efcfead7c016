// What of `npm run check:knative` needs no Go: the schemas bite, and every switch of the chart is turned.

import assert from 'node:assert/strict'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import { readManifests } from '../../../cli/doctor/index.ts'
import { projectRoot } from '../../support/places.ts'
import { chartVariants } from './chart-variants.ts'
import { plantedIn } from './planted.ts'
import { schemaFolder, validateBySchemas } from './schema-validation.ts'
import { schemasOf } from './strict-schema.ts'

const schemas = schemaFolder(projectRoot)

for (const { file, catchers } of plantedIn(projectRoot)) {
  const caught = catchers.includes('schemas')
  test(`${basename(file, '.yaml')}: the schemas ${caught ? 'refuse it' : 'have nothing against it'}`, () => {
    const { manifests } = readManifests([file], () => '')
    assert.equal(validateBySchemas(schemas, manifests).errors.length > 0, caught)
  })
}

test('an unknown field is named with its line', () => {
  const file = join(projectRoot, 'test/fixtures/knative/source-unknown-field.yaml')
  const { errors } = validateBySchemas(schemas, readManifests([file], () => '').manifests)
  assert.equal(errors.length, 1)
  assert.match(errors[0] ?? '', /source-unknown-field\.yaml:11 KafkaSource orders: \/spec .*\(batchSize\)$/)
})

test('a strict schema refuses what it does not name, and keeps what is open', () => {
  const crd = {
    spec: {
      group: 'g',
      names: { kind: 'K' },
      versions: [
        {
          name: 'v1',
          schema: {
            openAPIV3Schema: {
              type: 'object',
              properties: {
                spec: {
                  type: 'object',
                  description: 'long',
                  properties: {
                    open: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true, properties: {} },
                    port: { 'x-kubernetes-int-or-string': true },
                  },
                },
              },
            },
          },
        },
      ],
    },
  }
  const [[name, schema] = ['', {}]] = schemasOf(crd)
  assert.equal(name, 'g_K_v1')
  assert.deepEqual(schema, {
    type: 'object',
    additionalProperties: false,
    properties: {
      apiVersion: { type: 'string' },
      kind: { const: 'K' },
      metadata: { type: 'object' },
      spec: {
        type: 'object',
        additionalProperties: false,
        properties: {
          open: { type: 'object', properties: {} },
          port: { type: ['integer', 'string'], anyOf: undefined },
        },
      },
    },
  })
})

test('each switch of the chart is turned, and a gate that is open is a feature of the cluster', () => {
  const variants = chartVariants(projectRoot)
  const names = variants.map(({ name }) => name)
  assert.equal(new Set(names).size, names.length)
  for (const name of ['only what is required', 'values-production', 'everything on', 'everything off'])
    assert.ok(names.includes(name), name)
  assert.ok(names.filter((name) => name.includes('=')).length >= 15, names.join())
  const affinity = variants.find(({ name }) => name === 'featureGates.podspecAffinity=true')
  assert.deepEqual(affinity?.features, ['kubernetes.podspec-affinity'])
})
