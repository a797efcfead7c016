import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { test } from 'node:test'
import { SluiceError } from '../../../shared/errors/index.ts'
import { closeServer, listen } from '../../../shared/function/listen.ts'
import { findPortHolder } from '../../../shared/function/port-holder.ts'
import { systemClock } from '../../../shared/time/index.ts'
import { atEnd } from '../../support/index.ts'
import { openConnection } from './raw-http.ts'

test('a taken port is an error that names port, holder, variable and remedy', async (t) => {
  const first = createServer()
  const port = await listen(first, { host: '127.0.0.1', port: 0, variable: 'PORT' })
  atEnd(t, () => closeServer(first, systemClock))
  await assert.rejects(listen(createServer(), { host: '127.0.0.1', port, variable: 'PORT' }), (error) => {
    assert.ok(error instanceof SluiceError)
    assert.equal(error.code, 'port_taken')
    assert.match(
      error.message,
      new RegExp(`port ${port} on 127\\.0\\.0\\.1 is taken by process ${process.pid}; set PORT to another port`),
    )
    return true
  })
})

test('an address that is not of this machine is an error that names the variable', async () => {
  // 192.0.2.1 is a documentation address (RFC 5737): no machine has it, and nothing is sent to it.
  await assert.rejects(
    listen(createServer(), { host: '192.0.2.1', port: 0, variable: 'PORT' }),
    /192\.0\.2\.1 is no address of this machine; set SLUICE_HOST/,
  )
})

test('nobody holds a free port', async () => {
  const server = createServer()
  const port = await listen(server, { host: '127.0.0.1', port: 0, variable: 'PORT' })
  assert.equal(await findPortHolder(port), process.pid)
  await closeServer(server, systemClock)
  assert.equal(await findPortHolder(port), undefined)
})

test(
  'closing ends also a connection whose answer never comes, and may be asked twice',
  { timeout: 10_000 },
  async () => {
    const server = createServer(() => undefined)
    const port = await listen(server, { host: '127.0.0.1', port: 0, variable: 'PORT' })
    const connection = await openConnection(port)
    connection.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n')
    const begun = performance.now()
    await Promise.all([closeServer(server, systemClock), closeServer(server, systemClock)])
    assert.ok(performance.now() - begun < 3_000)
    connection.socket.destroy()
  },
)
