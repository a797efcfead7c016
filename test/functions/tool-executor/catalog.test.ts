import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parse } from 'yaml'
import { tools } from '../../../functions/tool-executor/tools/index.ts'
import { projectRoot } from '../../support/index.ts'

test('the seeded catalogue tells the model exactly what the tools are', () => {
  const { tool_catalog: rows } = parse(readFileSync(join(projectRoot, 'local/seeds/tool-catalog.yaml'), 'utf8')) as {
    tool_catalog: readonly { tenant: string; tool: string; enabled: boolean; description: string; parameters: object }[]
  }
  const declared = tools.map(({ name, description, parameters }) => ({
    tenant: '*',
    tool: name,
    enabled: true,
    description,
    parameters,
  }))
  const byName = (a: { tool: string }, b: { tool: string }): number => a.tool.localeCompare(b.tool)
  assert.deepEqual(rows.toSorted(byName), declared.toSorted(byName))
})
