// The schema of a custom resource as a strict client sees it: what it does not name is refused. The API server itself drops
// unknown fields, and `kubectl apply` refuses them.

import { isObject, listAt, objectAt, textAt, type JsonObject } from '../../../cli/doctor/manifest.ts'

const metadata = { type: 'object' }

/** From a CustomResourceDefinition, one schema for each of its versions, by `group_Kind_version`. */
export function schemasOf(crd: JsonObject): readonly (readonly [name: string, schema: JsonObject])[] {
  const group = textAt(crd, ['spec', 'group']) ?? ''
  const kind = textAt(crd, ['spec', 'names', 'kind']) ?? ''
  return listAt(crd, ['spec', 'versions']).map((version) => {
    const schema = strict(objectAt(version, ['schema', 'openAPIV3Schema']))
    const properties = {
      ...objectAt(schema, ['properties']),
      apiVersion: { type: 'string' },
      kind: { const: kind },
      metadata,
    }
    return [`${group}_${kind}_${textAt(version, ['name']) ?? ''}`, { ...schema, properties }] as const
  })
}

function strict(schema: JsonObject): JsonObject {
  const kept = Object.entries(schema)
    .filter(([name]) => name !== 'description' && name !== 'default' && !name.startsWith('x-kubernetes-'))
    .map(([name, value]) => [name, name === 'properties' ? each(value) : nested(name, value)] as const)
  const open =
    schema['properties'] === undefined ||
    schema['additionalProperties'] !== undefined ||
    schema['x-kubernetes-preserve-unknown-fields'] === true
  const either = schema['x-kubernetes-int-or-string'] === true ? { type: ['integer', 'string'], anyOf: undefined } : {}
  return { ...Object.fromEntries(kept), ...(open ? {} : { additionalProperties: false }), ...either }
}

const each = (properties: unknown): JsonObject =>
  isObject(properties)
    ? Object.fromEntries(
        Object.entries(properties).map(([name, value]) => [name, isObject(value) ? strict(value) : value]),
      )
    : {}

const nested = (name: string, value: unknown): unknown =>
  (name === 'items' || name === 'additionalProperties') && isObject(value) ? strict(value) : value
