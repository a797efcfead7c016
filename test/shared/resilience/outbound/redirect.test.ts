import { test } from 'node:test'
import assert from 'node:assert/strict'
import { checkHeaders, nextHop, type Hop } from '../../../../shared/resilience/outbound/redirect.ts'

const from = new URL('https://a.test/x')
const hop = (more: Partial<Hop> = {}): Hop => ({
  url: from.href,
  method: 'GET',
  headers: checkHeaders({ authorization: 'k' }),
  body: undefined,
  ...more,
})
const next = (status: number, location: string | undefined, of: Hop = hop()) =>
  nextHop(of, from, { status, headers: location === undefined ? {} : { location } })

test('only the five redirects with a location are followed', () => {
  for (const status of [301, 302, 303, 307, 308]) assert.equal(next(status, '/y')?.url, 'https://a.test/y')
  for (const status of [200, 300, 304, 305, 404]) assert.equal(next(status, '/y'), undefined)
  assert.equal(next(302, undefined), undefined)
})

test('another scheme, port or host is another origin and gets no credentials', () => {
  assert.equal(next(302, '/y')?.headers['authorization'], 'k')
  for (const location of ['http://a.test/y', 'https://a.test:8443/y', 'https://b.test/y', '//b.test/y']) {
    assert.equal(next(302, location)?.headers['authorization'], undefined, location)
  }
})

test('methods change as the Fetch standard says', () => {
  const posted = hop({ method: 'POST', body: 'x' })
  const changed = [301, 302, 303, 307, 308].map((status) => next(status, '/y', posted)?.method)
  assert.deepEqual(changed, ['GET', 'GET', 'GET', 'POST', 'POST'])
  assert.equal(next(303, '/y', hop({ method: 'HEAD' }))?.method, 'HEAD')
  assert.equal(next(303, '/y', hop({ method: 'DELETE' }))?.method, 'GET')
  assert.equal(next(302, '/y', hop({ method: 'PUT', body: 'x' }))?.body, 'x')
})
