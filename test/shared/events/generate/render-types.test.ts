import { test } from 'node:test'
import assert from 'node:assert/strict'
import { renderTypes } from '../../../../shared/events/generate/render-types.ts'

const schema = {
  title: 'ToolCallFinished',
  type: 'object',
  additionalProperties: false,
  required: ['status'],
  properties: {
    status: { type: 'string', enum: ['succeeded', 'failed'] },
    result: { type: ['object', 'array', 'string', 'number', 'boolean', 'null'], maxItems: 3 },
    tags: { type: 'array', maxItems: 3, items: { type: 'string', maxLength: 3 } },
  },
}

test('closed lists become unions, optional members stay optional, bounds leave no trace', async () => {
  const text = await renderTypes([
    { type: 'tool.call.finished.v1', typeName: 'ToolCallFinished', constantName: 'toolCallFinished', schema },
  ])
  assert.match(
    text,
    /export interface ToolCallFinished \{\n  status: 'succeeded' \| 'failed'\n  result\?: unknown\n  tags\?: string\[\]\n\}/,
  )
})
