// Redirects: each target is checked like the first, and what was meant for one host stays there.

import { test } from 'node:test'
import assert from 'node:assert/strict'
import { subject, serve, publicAddress } from './untrusted-subject.ts'

test('a redirect is followed and its target checked like the first', async (t) => {
  const server = await serve(t, (request, response) => {
    if (request.url === '/a') response.writeHead(302, { location: 'http://second.test/b' }).end()
    else response.end('there')
  })
  const { get, dialled } = subject({ port: server.port, names: { 'second.test': ['8.8.4.4'] } })
  const answer = await get('http://first.test/a')
  assert.deepEqual([answer.body.toString(), answer.url, answer.redirects], ['there', 'http://second.test/b', 1])
  assert.deepEqual(
    dialled.map(({ hostname }) => hostname),
    [publicAddress, '8.8.4.4'],
  )
})

const redirects: readonly (readonly [string, string])[] = [
  ['http://127.0.0.1/', 'blocked_address'],
  ['http://169.254.169.254/latest/meta-data/', 'blocked_address'],
  ['http://inside.test/', 'blocked_address'],
  ['//[::1]/', 'blocked_address'],
  ['file:///etc/passwd', 'blocked_url'],
  ['gopher://public.test/', 'blocked_url'],
  ['http://public.test:6379/', 'blocked_url'],
  ['http://user:pass@public.test/', 'blocked_url'],
  ['http://', 'blocked_url'],
]

for (const [location, code] of redirects) {
  test(`a redirect to ${location} is ${code}, and only the first host was dialled`, async (t) => {
    const server = await serve(t, (_request, response) => response.writeHead(302, { location }).end())
    const { get, dialled } = subject({ port: server.port, names: { 'inside.test': ['10.0.0.7'] } })
    await assert.rejects(get('http://public.test/'), { code })
    assert.equal(dialled.length, 1)
  })
}

test('three redirects are followed, a fourth is not', async (t) => {
  const server = await serve(t, (request, response) => {
    const left = Number(request.url?.slice(1))
    if (left === 0) response.end('end')
    else response.writeHead(301, { location: `/${left - 1}` }).end()
  })
  const { get } = subject({ port: server.port })
  assert.equal((await get('http://public.test/3')).redirects, 3)
  await assert.rejects(get('http://public.test/4'), { code: 'blocked_url' })
})

test('what was meant for one host is not sent to another', async (t) => {
  const server = await serve(t, (request, response) => {
    if (request.headers.host === 'first.test') response.writeHead(307, { location: 'http://second.test/' }).end()
    else response.end()
  })
  const headers = { Authorization: 'Bearer x', Cookie: 'a=b', 'X-Api-Key': 'k', 'Accept-Language': 'es' }
  await subject({ port: server.port }).get({ url: 'http://first.test/', headers })
  const [first, second] = server.requests
  assert.equal(first?.headers.authorization, 'Bearer x')
  assert.equal(first?.headers['x-api-key'], 'k')
  assert.deepEqual(
    ['authorization', 'cookie', 'x-api-key'].map((name) => second?.headers[name]),
    [undefined, undefined, undefined],
  )
  assert.equal(second?.headers['accept-language'], 'es')
})

test('within one origin a redirect keeps the headers, and 303 turns POST into GET without a body', async (t) => {
  const server = await serve(t, (request, response) => {
    if (request.url === '/form') response.writeHead(303, { location: '/done' }).end()
    else response.end()
  })
  const request = {
    url: 'http://public.test/form',
    method: 'POST',
    headers: { authorization: 'x', 'content-type': 'a/b' },
    body: 'data',
  } as const
  await subject({ port: server.port }).get(request)
  const second = server.requests[1]
  assert.deepEqual(
    [second?.method, second?.headers.authorization, second?.headers['content-type'], second?.headers['content-length']],
    ['GET', 'x', undefined, undefined],
  )
})

test('a body is not carried to another origin', async (t) => {
  const server = await serve(t, (_request, response) =>
    response.writeHead(307, { location: 'http://second.test/' }).end(),
  )
  const { get, dialled } = subject({ port: server.port })
  await assert.rejects(get({ url: 'http://first.test/', method: 'POST', body: 'secret' }), { code: 'blocked_url' })
  assert.equal(dialled.length, 1)
})
