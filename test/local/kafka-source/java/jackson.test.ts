import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseJackson, printJackson } from '../../../../local/kafka-source/java/jackson.ts'

function rewritten(text: string): string | undefined {
  const node = parseJackson(Buffer.from(text))
  return node === undefined ? undefined : printJackson(node)
}

test('white space goes, order stays, of equal names the last value counts', () => {
  assert.equal(rewritten(' { "b" : [ 1 , null ] ,\n"a": true, "b": {} } '), '{"b":{},"a":true}')
})

test('integers keep their digits, other numbers go through a double', () => {
  assert.equal(
    rewritten('[12345678901234567890,-0,1.00,1e3,0.1e-7,1E400,-1.5]'),
    '[12345678901234567890,0,1.0,1000.0,1.0E-8,"Infinity",-1.5]',
  )
})

test('strings are unescaped where they can be, control characters with upper-case digits', () => {
  assert.equal(rewritten('"\\u00e9\\/\\u001F\\u0008\\u2028\\"\\\\"'), '"é/\\u001F\\b\u2028\\"\\\\"')
})

test('what follows the first value is not looked at', () => {
  assert.equal(rewritten('{"a":1} garbage'), '{"a":1}')
})

test('what Jackson refuses', () => {
  const wrong = [
    '',
    '{',
    '{"a"}',
    '[1,]',
    '{"a":01}',
    '[1.]',
    '[.5]',
    "{'a':1}",
    '["\t"]',
    '[NaN]',
    `${'['.repeat(1_001)}${']'.repeat(1_001)}`,
  ]
  assert.deepEqual(
    wrong.filter((text) => rewritten(text) !== undefined),
    [],
  )
  assert.equal(parseJackson(Buffer.from([0x22, 0xff, 0x22])), undefined)
})
