import { test, type TestContext } from 'node:test'
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readSchemas } from '../../../../shared/events/generate/read-schemas.ts'

function folderWith(t: TestContext, schemas: Record<string, object>): string {
  const root = mkdtempSync(join(tmpdir(), 'sluice-schemas-'))
  t.after(() => rmSync(root, { recursive: true, force: true }))
  for (const [path, schema] of Object.entries(schemas)) {
    mkdirSync(join(root, path, '..'), { recursive: true })
    writeFileSync(join(root, path), JSON.stringify(schema))
  }
  return root
}

test('names follow from the folder and the version', async (t) => {
  const root = folderWith(t, {
    'tool.call.requested/v2.schema.json': {
      title: 'ToolCallRequestedV2',
      $id: 'urn:sluice:event:tool.call.requested.v2',
    },
    'tool.call.requested/v1.schema.json': {
      title: 'ToolCallRequested',
      $id: 'urn:sluice:event:tool.call.requested.v1',
    },
    'tool.call.requested/examples/valid-a.json': {},
  })
  const names = (await readSchemas(root)).map(({ type, typeName, constantName }) => [type, typeName, constantName])
  assert.deepEqual(names, [
    ['tool.call.requested.v1', 'ToolCallRequested', 'toolCallRequested'],
    ['tool.call.requested.v2', 'ToolCallRequestedV2', 'toolCallRequestedV2'],
  ])
})

test('a title or an id that does not fit the folder is refused', async (t) => {
  const badTitle = folderWith(t, { 'a.b.c/v1.schema.json': { title: 'Other', $id: 'urn:sluice:event:a.b.c.v1' } })
  await assert.rejects(readSchemas(badTitle), /title must be ABC/)
  const badId = folderWith(t, { 'a.b.c/v1.schema.json': { title: 'ABC', $id: 'urn:other' } })
  await assert.rejects(readSchemas(badId), /\$id must be urn:sluice:event:a\.b\.c\.v1/)
})

test('a folder without schemas is an error, not an empty list', async (t) => {
  await assert.rejects(readSchemas(folderWith(t, { 'a.b/readme.txt': {} })), /no schemas/)
})

test('every schema is closed, described, and bounds every text, list and map', async () => {
  const schemas = await readSchemas(fileURLToPath(new URL('../../../../schemas/events', import.meta.url)))
  for (const { type, schema } of schemas) {
    assert.equal(schema['$schema'], 'https://json-schema.org/draft/2020-12/schema', type)
    assert.equal(schema['additionalProperties'], false, type)
    assert.ok(typeof schema['description'] === 'string', type)
    visit(schema['properties'] as Record<string, Node>, type)
  }
})

interface Node {
  readonly type?: string | readonly string[]
  readonly description?: string
  readonly enum?: readonly unknown[]
  readonly properties?: Record<string, Node>
  readonly [keyword: string]: unknown
}

function visit(properties: Record<string, Node>, path: string): void {
  for (const [name, node] of Object.entries(properties)) {
    const at = `${path}.${name}`
    const types = typeof node.type === 'string' ? [node.type] : (node.type ?? [])
    assert.ok(node.description !== undefined && types.length > 0, at)
    if (types.includes('string') && node.enum === undefined) assert.ok('maxLength' in node, at)
    if (types.includes('array')) assert.ok('maxItems' in node, at)
    if (types.includes('object')) assert.ok(node['additionalProperties'] === false || 'maxProperties' in node, at)
    if (types.includes('integer')) assert.ok('minimum' in node && 'maximum' in node, at)
    if (node.properties !== undefined) visit(node.properties, at)
  }
}
