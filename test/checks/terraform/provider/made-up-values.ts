// What a provider would fill in: while planning it is unknown, when applying it is made up from its type, so that whatever uses a
// value of the wrong type, or one that does not exist, fails as it would with the real provider.

import type { AttributeType, Block } from './schema.ts'

/** Known after apply. A class of its own, because the codec tells its values from all others. */
export class Unknown {
  readonly kind = 'unknown'
}

export type Value = unknown
type Fill = (type: AttributeType, path: string, name?: string) => Value

export const unknownValue: Fill = () => new Unknown()

/** Values whose form somebody relies on, by type of resource and attribute. */
const formed: Readonly<Record<string, (name: string) => Value>> = {
  'aws_iam_role-arn': (name) => `arn:aws:iam::123456789012:role/${name}`,
  'aws_security_group-id': (name) => `sg-${name}`,
  'aws_msk_cluster-bootstrap_brokers_sasl_scram': () => 'b-1.made-up.amazonaws.com:9096,b-2.made-up.amazonaws.com:9096',
}

/** With the name of the resource, so that two of a kind are told apart. */
export const madeUpValue: Fill = (type, path, name = '') => {
  const form = formed[path]
  if (form !== undefined) return form(name)
  if (type === 'string' && name !== '') return `stub-${path}-${name}`
  if (type === 'string') return `stub-${path}`
  if (type === 'number') return 1
  if (type === 'bool') return false
  if (type === 'dynamic') return null
  if (type[0] === 'map') return {}
  if (type[0] !== 'object') return isObject(type[1]) ? [madeUpValue(type[1], path)] : []
  return Object.fromEntries(
    Object.entries(type[1]).map(([name, inner]) => [name, madeUpValue(inner, `${path}-${name}`)]),
  )
}

const isObject = (type: AttributeType): boolean => Array.isArray(type) && type[0] === 'object'

/** Values that a provider takes and never gives back: they are in no plan and no state. */
export const isWriteOnly = (name: string): boolean => /^(?!has_)\w+_wo$/.test(name)

export interface FillOptions {
  readonly block: Block
  /** Begins the names of made-up values. */
  readonly path?: string
}

/** Fills in what is computed and not there. Unknown values stay while planning. Changes `value`. */
export function fillIn({ block, path = '' }: FillOptions, value: Value, fill: Fill): Value {
  if (value === null || value === undefined || value instanceof Unknown || typeof value !== 'object') return value
  const object = value as Record<string, Value>
  const ownName = typeof object['name'] === 'string' ? object['name'] : ''
  for (const [name, { type, computed }] of Object.entries(block.attributes)) {
    const own = object[name]
    const isMissing = own === null || own === undefined || (own instanceof Unknown && fill !== unknownValue)
    if (isWriteOnly(name)) object[name] = null
    else if (computed === true && isMissing) object[name] = fill(type, path === '' ? name : `${path}-${name}`, ownName)
  }
  for (const [name, { block: inner }] of Object.entries(block.block_types)) {
    const own = object[name]
    for (const one of Array.isArray(own) ? own : [own]) fillIn({ block: inner, path: name }, one, fill)
  }
  return object
}
