// Events for property tests: everything that a CloudEvent may hold.

import fc from 'fast-check'
import type { CloudEvent } from '../../../../shared/events/index.ts'

// Unicode but control characters, NUL and lone surrogates: what A3 and J1 let through
const character = fc
  .string({ unit: 'binary', minLength: 1, maxLength: 1 })
  .filter((text) => !/[\u0000-\u0008\u000a-\u001f\u007f]/.test(text))
export const anyText = fc.string({ unit: character, minLength: 1, maxLength: 20 })

/** What an HTTP header carries as it is: Latin-1 without spaces at the ends, `%` only in front of hex digits. */
export const headerText = fc
  .string({ unit: fc.constantFrom(...latin1Characters()), minLength: 1, maxLength: 20 })
  .filter((text) => text === text.replaceAll(/^[ \t]+|[ \t]+$/g, '') && !/%(?![0-9a-f]{2})/i.test(text))

function latin1Characters(): string[] {
  const codes = [9, ...Array.from({ length: 95 }, (_, i) => 32 + i), ...Array.from({ length: 96 }, (_, i) => 160 + i)]
  return codes.map((code) => String.fromCharCode(code))
}

export const timestamps = fc
  .date({ min: new Date('0001-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59Z'), noInvalidDate: true })
  .map((date) => date.toISOString())

// names that mean something to a codec have tests of their own; the SDK makes attributes of two more
const reserved = new Set([
  'specversion',
  'id',
  'source',
  'type',
  'subject',
  'time',
  'data',
  'dataschema',
  'datacontenttype',
])
for (const name of ['datacontentencoding', 'schemaurl', 'partitionkey', 'key', 'constructor']) reserved.add(name)
export const extensionNames = fc
  .string({ unit: fc.constantFrom(...'abcdefghijklmnopqrstuvwxyz0123456789'.split('')), minLength: 1, maxLength: 20 })
  .filter((name) => !reserved.has(name))

/** JSON that parseJson takes: no prototype keys, no numbers it refuses. */
export const jsonData: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom(null, true, false),
    fc.integer(),
    fc.double({ noNaN: true, min: -1e15, max: 1e15 }).map((n) => n + 0),
    anyText,
    fc.constant(''),
    tie('list'),
    tie('object'),
  ),
  list: fc.array(tie('value'), { maxLength: 4 }),
  object: fc.dictionary(
    anyText.filter((key) => key !== '__proto__' && key !== 'constructor'),
    tie('value'),
    { maxKeys: 4, noNullPrototype: true },
  ),
})).value

export const jsonObjects = fc.dictionary(
  anyText.filter((key) => key !== '__proto__' && key !== 'constructor'),
  jsonData,
  { maxKeys: 5, noNullPrototype: true },
)

const content: fc.Arbitrary<{ readonly data: unknown; readonly datacontenttype?: string }> = fc.oneof(
  fc.record({
    data: jsonData,
    datacontenttype: fc.constantFrom('application/json', 'application/json; charset=utf-8', 'application/vnd.x+json'),
  }),
  fc.record({ data: jsonData }),
  fc.record({
    data: fc.oneof(anyText, fc.constant('')),
    datacontenttype: fc.constantFrom('text/plain', 'application/xml'),
  }),
  fc.record({
    data: fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes)),
    datacontenttype: fc.constantFrom('application/octet-stream', 'image/png'),
  }),
  fc.record({ data: fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes)) }),
  fc.record({ data: fc.constant(undefined) }),
  fc.record({
    data: fc.constant(undefined),
    datacontenttype: fc.constantFrom('application/json', 'text/plain', 'image/png'),
  }),
)

export const eventsWith = (text: fc.Arbitrary<string>): fc.Arbitrary<CloudEvent> =>
  fc
    .record(
      {
        id: text,
        source: text,
        type: text,
        subject: text,
        time: timestamps,
        dataschema: text,
        extensions: fc.dictionary(extensionNames, fc.oneof(text, fc.constant('')), {
          maxKeys: 4,
          noNullPrototype: true,
        }),
        content,
      },
      { requiredKeys: ['id', 'source', 'type', 'extensions', 'content'] },
    )
    .map(({ content, ...attributes }) => ({ specversion: '1.0', ...attributes, ...content }))
