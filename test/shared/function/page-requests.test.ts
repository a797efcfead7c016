import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isFromOwnPage, namesThisMachine } from '../../../shared/function/page-requests.ts'

test('only the names of this machine are its names', () => {
  const own = ['localhost', 'LOCALHOST:8080', 'app.localhost:1', '127.0.0.1:9464', '127.1.2.3', '[::1]:9464', undefined]
  for (const host of own) assert.equal(namesThisMachine({ host }), true, host)
  const others = [
    'evil.example',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    'evil@localhost',
    'localhost/.evil.example',
    'localhost:1:2',
    '10.0.0.1',
    '',
  ]
  for (const host of others) assert.equal(namesThisMachine({ host }), false, host)
})

test('a page of the address that is asked is told from a header that a record happens to have', () => {
  assert.equal(isFromOwnPage({ host: 'evil.example:8080', origin: 'http://evil.example:8080' }), true)
  assert.equal(isFromOwnPage({ host: 'evil.example', origin: 'https://evil.example' }), true)
  assert.equal(isFromOwnPage({ host: 'worker.sluice.svc', origin: 'http://shop.example' }), false)
  assert.equal(isFromOwnPage({ host: 'worker.sluice.svc' }), false)
})
