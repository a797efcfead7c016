import assert from 'node:assert/strict'
import { request } from 'node:http'
import { test } from 'node:test'
import { startGateway } from '../../support/gateway-server.ts'

/** fetch would not let us choose the host. */
const statusFor = (url: string, headers: Readonly<Record<string, string>>): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    const sent = request(`${url}/v1/sessions`, { headers }, (response) => {
      response.resume()
      resolve(response.statusCode)
    })
    sent.setTimeout(10_000, () => sent.destroy(new Error('no answer')))
    sent.on('error', reject).end()
  })

test('local mode answers requests that name this machine, and none that a page of the web could send', async (t) => {
  const { url } = await startGateway(t)
  const { port } = new URL(url)
  const cases: readonly (readonly [Readonly<Record<string, string>>, number])[] = [
    [{ host: `127.0.0.1:${port}` }, 200],
    [{ host: `[::1]:${port}` }, 200],
    [{ host: 'LOCALHOST' }, 200],
    [{ host: 'chat.localhost:1', origin: 'http://localhost:5173' }, 200],
    [{ host: `rebound.example:${port}` }, 403],
    [{ host: '127.0.0.1.example' }, 403],
    [{ host: 'notlocalhost' }, 403],
    [{ host: '10.0.0.1' }, 403],
    [{ host: 'a b' }, 403],
    [{ origin: 'https://evil.example' }, 403],
    [{ origin: 'http://localhost.evil.example' }, 403],
    [{ origin: 'null' }, 403],
  ]
  for (const [headers, status] of cases) assert.equal(await statusFor(url, headers), status, JSON.stringify(headers))
})
