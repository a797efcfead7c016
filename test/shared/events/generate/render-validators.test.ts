import { test } from 'node:test'
import assert from 'node:assert/strict'
import { renderValidators, renderValidatorTypes } from '../../../../shared/events/generate/render-validators.ts'

const schemas = [
  {
    type: 'a.b.c.v1',
    typeName: 'ABC',
    constantName: 'aBC',
    schema: {
      $id: 'urn:sluice:event:a.b.c.v1',
      type: 'object',
      additionalProperties: false,
      properties: { at: { type: 'string', format: 'date-time', maxLength: 64 } },
    },
  },
]

test('the validators are one ES module that needs no other', async () => {
  const text = await renderValidators(schemas)
  assert.doesNotMatch(text, /\brequire\s*\(|\bimport\s*[({'"*]|\bfrom\s*['"]/)
  assert.doesNotMatch(text, /\/home\/|\/work\/|\/tmp\//)
  const compiled = (await import(`data:text/javascript,${encodeURIComponent(text)}`)) as {
    readonly aBC: (data: unknown) => boolean
  }
  assert.deepEqual(
    [{ at: '2026-09-01T10:15:30Z' }, { at: '2026-02-30T10:15:30Z' }, { b: 1 }].map((data) => compiled.aBC(data)),
    [true, false, false],
  )
})

test('a schema that ajv does not understand is refused', async () => {
  const [schema] = schemas
  await assert.rejects(
    renderValidators([
      {
        ...schema,
        type: 'a.b.c.v1',
        typeName: 'ABC',
        constantName: 'aBC',
        schema: { $id: 'urn:sluice:event:a.b.c.v1', maxLenght: 5 },
      },
    ]),
    /maxLenght/,
  )
})

test('each validator is declared', () => {
  assert.match(renderValidatorTypes(schemas), /export const aBC: CompiledSchema\n$/)
})
