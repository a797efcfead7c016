import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isJavaUri } from '../../../../local/kafka-source/java/java-uri.ts'

test('what java.net.URI takes', () => {
  const right = [
    '',
    '/orders/service',
    'orders',
    'a/b:c',
    'urn:uuid:1234',
    'mailto:a@b',
    'https://example.com:8080/a?b=c#d',
    '//host/path',
    'file:///etc',
    'http://[::1]:80/',
    '/übung/日本',
    '/a%20b',
    '?q',
    '#f',
    '/a?x=[1]',
  ]
  assert.deepEqual(
    right.filter((text) => !isJavaUri(text)),
    [],
  )
})

test('what java.net.URI refuses', () => {
  const wrong = [
    '/orders service',
    ':a',
    'http:',
    '1a:b',
    '//',
    '/a%2',
    '/a{b}',
    'a|b',
    '/a[1]',
    '#a#b',
    'a"b',
    '/a\u00a0b',
    '/a\nb',
  ]
  assert.deepEqual(
    wrong.filter((text) => isJavaUri(text)),
    [],
  )
})
