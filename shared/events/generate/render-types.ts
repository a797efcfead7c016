// TypeScript types of event data, one exported interface a schema.

import { compile } from 'json-schema-to-typescript'
import { generatedNotice, type EventSchema } from './read-schemas.ts'

export async function renderTypes(schemas: readonly EventSchema[]): Promise<string> {
  const parts: string[] = [generatedNotice]
  for (const { schema, typeName } of schemas) {
    parts.push(
      await compile(withoutBounds(schema) as object, typeName, {
        bannerComment: '',
        additionalProperties: false,
        // free JSON is `unknown`, so that nobody reads it unchecked
        unknownAny: true,
        style: { semi: false, singleQuote: true, printWidth: 120, trailingComma: 'all' },
      }),
    )
  }
  return parts.join('\n')
}

// Bounds are for the validator. Left in, `maxItems` would unroll arrays into unions of tuples.
const bounds = new Set(['minItems', 'maxItems', '$id', '$schema', 'propertyNames', 'pattern', 'minLength', 'maxLength'])

/** A schema that names all of object, array, string, number, boolean and null is free JSON. */
const jsonTypes = 6

function withoutBounds(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(withoutBounds)
  if (typeof node !== 'object' || node === null) return node
  if ('type' in node && Array.isArray(node.type) && node.type.length === jsonTypes)
    return { ...node, type: undefined, tsType: 'unknown' }
  return Object.fromEntries(
    Object.entries(node)
      .filter(([name]) => !bounds.has(name))
      .map(([name, value]) => [name, withoutBounds(value)]),
  )
}
