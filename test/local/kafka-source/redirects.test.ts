import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SendOutcome, SinkRequest } from '../../../local/kafka-source/index.ts'
import { followRedirects } from '../../../local/kafka-source/redirects.ts'

const first: SinkRequest = {
  method: 'POST',
  url: 'http://sink:8080/in',
  headers: [
    ['ce-id', 'e-1'],
    ['content-length', '2'],
    ['host', 'sink:8080'],
  ],
  body: Buffer.from('{}'),
}

const answer = (status: number, location?: string): SendOutcome => ({
  kind: 'answer',
  status,
  headers: location === undefined ? [] : [['Location', location]],
  body: Buffer.alloc(0),
})

async function follow(answers: readonly SendOutcome[]): Promise<{ status: number; seen: readonly SinkRequest[] }> {
  const seen: SinkRequest[] = []
  const send = async (request: SinkRequest): Promise<SendOutcome> => {
    seen.push(request)
    return answers[Math.min(seen.length, answers.length) - 1] ?? answer(200)
  }
  const options = { timeoutMs: 1_000, signal: new AbortController().signal }
  const outcome = await followRedirects({ send }).send(first, options)
  return { status: outcome.kind === 'answer' ? outcome.status : 0, seen }
}

test('303 is followed with a GET without the body, to the host of its Location, and that answer counts', async () => {
  const { status, seen } = await follow([answer(303, 'http://other/done?x=1'), answer(204)])
  assert.equal(status, 204)
  assert.deepEqual(seen[1], {
    method: 'GET',
    url: 'http://other/done?x=1',
    headers: [
      ['ce-id', 'e-1'],
      ['host', 'other'],
    ],
    body: null,
  })
})

test('no other redirect of a POST is followed, nor a 303 that does not say where', async () => {
  for (const status of [301, 302, 307, 308]) assert.equal((await follow([answer(status, '/x')])).seen.length, 1)
  assert.equal((await follow([answer(303)])).status, 303)
})

test('after the first 303 every redirect is followed, sixteen at most', async () => {
  assert.equal((await follow([answer(303, '/a'), answer(302, '/b'), answer(308, '/c'), answer(200)])).status, 200)
  const endless = await follow([answer(303, '/a')])
  assert.equal(endless.seen.length, 17)
  assert.equal(endless.status, 303)
})
