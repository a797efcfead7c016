// Reads schemas/events/<type>/v<major>.schema.json in a fixed order, so that the same schemas always give the same text.

import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

export interface EventSchema {
  /** With the major version: `tool.call.requested.v1`. */
  readonly type: string
  /** Name of the TypeScript type, from the schema's title: `ToolCallRequested`. */
  readonly typeName: string
  /** Name of the EventType constant: `toolCallRequested`, with `V2` … from the second major version on. */
  readonly constantName: string
  readonly schema: Readonly<Record<string, unknown>>
}

export const generatedNotice =
  '// Generated from schemas/events by shared/events/generate/main.ts. Change the schemas, not this file.\n'

export async function readSchemas(directory: string): Promise<readonly EventSchema[]> {
  const found: EventSchema[] = []
  for (const name of (await readdir(directory)).toSorted()) {
    for (const file of (await readdir(join(directory, name))).toSorted()) {
      const version = /^v([1-9][0-9]*)\.schema\.json$/.exec(file)?.[1]
      if (version !== undefined) found.push(await readSchema(join(directory, name, file), { name, version }))
    }
  }
  if (found.length === 0) throw new Error(`no schemas below ${directory}`)
  return found
}

async function readSchema(
  path: string,
  { name, version }: { readonly name: string; readonly version: string },
): Promise<EventSchema> {
  const schema = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>
  const type = `${name}.v${version}`
  const constantName = camelCase(name) + (version === '1' ? '' : `V${version}`)
  const typeName = constantName.charAt(0).toUpperCase() + constantName.slice(1)
  if (schema['title'] !== typeName) throw new Error(`${path}: the title must be ${typeName}`)
  if (schema['$id'] !== `urn:sluice:event:${type}`) throw new Error(`${path}: the $id must be urn:sluice:event:${type}`)
  return { type, typeName, constantName, schema }
}

const camelCase = (name: string): string =>
  name.replaceAll(/[.-]([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
