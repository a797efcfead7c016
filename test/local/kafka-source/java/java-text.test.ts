import assert from 'node:assert/strict'
import { test } from 'node:test'
import { javaBytes, javaText } from '../../../../local/kafka-source/java/java-text.ts'

test('malformed bytes become replacement characters, half a surrogate pair becomes one', () => {
  assert.equal(javaText(Buffer.from([0xff, 0xfe, 0x41])), '\ufffd\ufffdA')
  assert.equal(javaText(Buffer.from([0x61, 0xed, 0xa0, 0x80, 0x62])), 'a\ufffdb')
  assert.equal(javaText(Buffer.from('Zürich 日本語 👍 \ud7ff')), 'Zürich 日本語 👍 \ud7ff')
})

test('half a surrogate pair is written as a question mark', () => {
  assert.equal(javaBytes('a\ud800b\udc00c👍').toString(), 'a?b?c👍')
})
