import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SluiceError } from '../../../shared/errors/index.ts'
import { maxRecordBytes, recordBytes, type AppendRecord } from '../../../shared/event-log/index.ts'
import { refuseTooLarge } from '../../../shared/event-log/record-limits.ts'

const withValue = (bytes: number): AppendRecord => ({
  topic: 't',
  key: Buffer.from('key'),
  headers: [['name', Buffer.from('value')]],
  value: Buffer.alloc(bytes),
})

test('records of one byte less than the limit and of the limit pass, one byte more is refused', () => {
  const room = maxRecordBytes - recordBytes(withValue(0))
  for (const bytes of [room - 1, room]) refuseTooLarge([withValue(bytes)])
  assert.throws(
    () => refuseTooLarge([withValue(0), withValue(room + 1)]),
    (error) => error instanceof SluiceError && error.code === 'event_too_large',
  )
})

test('keys, names and values of headers count', () => {
  const empty = recordBytes({ topic: 't', key: null, headers: [], value: null })
  assert.equal(recordBytes({ topic: 't', key: Buffer.alloc(5), headers: [], value: null }) - empty, 5)
  assert.ok(recordBytes({ topic: 't', key: null, headers: [['é', Buffer.alloc(7)]], value: null }) - empty >= 9)
})
