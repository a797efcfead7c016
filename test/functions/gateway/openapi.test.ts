import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { openApi } from '../../../functions/gateway/openapi.ts'
import { projectRoot } from '../../support/index.ts'

const file = join(projectRoot, 'schemas/openapi.json')
const generated = `${JSON.stringify(openApi, null, 2)}\n`

// UPDATE=openapi node --test test/functions/gateway/openapi.test.ts
if (process.env['UPDATE'] === 'openapi') writeFileSync(file, generated)

test('schemas/openapi.json is what the schemas of the routes make', () => {
  assert.equal(readFileSync(file, 'utf8'), generated)
})

test('every reference of the document leads somewhere', () => {
  const references = [...generated.matchAll(/"\$ref": "#\/components\/schemas\/([^"]+)"/g)].map(
    ([, name]) => name ?? '',
  )
  assert.ok(references.length > 10)
  for (const name of references) assert.ok(Object.hasOwn(openApi.components.schemas, name), name)
})
