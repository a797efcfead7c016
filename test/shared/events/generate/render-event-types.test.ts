import { test } from 'node:test'
import assert from 'node:assert/strict'
import { renderEventTypes } from '../../../../shared/events/generate/render-event-types.ts'

test('each schema gives a typed constant and a place in the list', () => {
  const text = renderEventTypes([{ type: 'a.b.c.v2', typeName: 'ABCV2', constantName: 'aBCV2', schema: {} }])
  assert.match(
    text,
    /export const aBCV2: EventType<'a\.b\.c\.v2', types\.ABCV2> = createEventType\('a\.b\.c\.v2', validators\.aBCV2\)/,
  )
  assert.match(text, /eventTypes: readonly EventType\[\] = \[\n  aBCV2,\n\]/)
})
