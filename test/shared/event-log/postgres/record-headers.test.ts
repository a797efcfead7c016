import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { loadHeaders, storeHeaders, type StoredHeaders } from '../../../../shared/event-log/postgres/record-headers.ts'

test('headers of any bytes come back as they were', () => {
  const value = fc.option(
    fc.oneof(
      fc.uint8Array({ maxLength: 20 }),
      fc.string({ unit: 'grapheme' }).map((text) => Buffer.from(text)),
    ),
    { nil: null },
  )
  fc.assert(
    fc.property(
      fc.array(
        fc.tuple(
          fc.string(),
          value.map((bytes) => (bytes === null ? null : Buffer.from(bytes))),
        ),
      ),
      (headers) => {
        assert.deepEqual(loadHeaders(JSON.parse(storeHeaders(headers)) as StoredHeaders), headers)
      },
    ),
  )
})

test('text stays readable in the table', () => {
  assert.equal(storeHeaders([['ce_id', Buffer.from('é')]]), '[["ce_id","é"]]')
})
