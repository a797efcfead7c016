import { test } from 'node:test'
import assert from 'node:assert/strict'
import { checkUrl } from '../../../../shared/resilience/outbound/check-url.ts'

const none = new Set<string>()

const refused = [
  'file:///etc/passwd',
  'gopher://example.com/',
  'data:text/plain,hello',
  'ftp://example.com/',
  'javascript:alert(1)',
  'http://user@example.com/',
  'http://user:password@example.com/',
  'http://example.com:22/',
  'http://example.com:6379/',
  'https://example.com:8443/',
  'http://example.com:0/',
  'example.com',
  '//example.com/',
  '',
  'http://',
  'http://exa mple.com/',
  `http://example.com/${'a'.repeat(9_000)}`,
]

for (const url of refused) {
  test(`${url === '' ? 'an empty text' : url.slice(0, 60)} is blocked`, () => {
    assert.throws(() => checkUrl(url, none), { code: 'blocked_url' })
  })
}

test('the message does not repeat a URL, which may hold a credential', () => {
  assert.throws(
    () => checkUrl('http://me:hunter2@example.com/', none),
    (error: Error) => !/hunter2|example/.test(error.message),
  )
})

test('http and https on 80 and 443 pass, with the port and host they mean', () => {
  const { host, port, isAddress } = checkUrl('https://example.com./path', none)
  assert.deepEqual({ host, port, isAddress }, { host: 'example.com', port: 443, isAddress: false })
  assert.equal(checkUrl('http://example.com:443/', none).port, 443)
  assert.equal(checkUrl('http://[2606:4700:4700::1111]/', none).host, '2606:4700:4700::1111')
  assert.equal(checkUrl('HTTP://EXAMPLE.com', none).port, 80)
})

test('the allow-list lifts the port rule for exactly its pair', () => {
  const allow = new Set(['127.0.0.1:4000', '[::1]:4000'])
  assert.equal(checkUrl('http://127.0.0.1:4000/', allow).allowListed, true)
  assert.equal(checkUrl('http://[::1]:4000/', allow).allowListed, true)
  assert.throws(() => checkUrl('http://127.0.0.1:4001/', allow), { code: 'blocked_url' })
  assert.throws(() => checkUrl('http://localhost:4000/', allow), { code: 'blocked_url' })
  assert.throws(() => checkUrl('http://user@127.0.0.1:4000/', allow), { code: 'blocked_url' })
})
