// A hop between a client and a server that a test can break: refuse and cut connections, go silent, or swallow answers.

import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { atEnd } from './at-end.ts'

export interface TcpProxy {
  readonly port: number
  /** Connections open now. */
  readonly open: number
  /** Resets every connection, and every later one until `mend`. */
  cut(): void
  /** Connections stay open and pass nothing on, in either direction. */
  freeze(): void
  /** As `freeze`, for the connections that are open now; new ones pass. */
  freezePresent(): void
  /** What clients send arrives; what the server answers is thrown away. */
  swallowAnswers(): void
  /** Each connection ends after the first `bytes` of the next answer on it; later connections pass. */
  breakWithinAnswers(bytes: number): void
  /** Resets each connection over which a client says this, until `mend`. */
  breakAt(said: string): void
  /** Connections that `breakAt` has broken. */
  readonly broken: number
  /** Passes everything on again. Bytes that were held back by `freeze` arrive; swallowed ones do not. */
  mend(): void
}

type Mode = 'passing' | 'cut' | 'frozen' | 'swallowing'

/** Stands before `port` of this machine until the end of the test. */
export async function startTcpProxy(t: TestContext, { port }: { readonly port: number }): Promise<TcpProxy> {
  const pairs = new Set<readonly [client: Socket, server: Socket]>()
  const breaking = new Map<Socket, number>()
  let mode: Mode = 'passing'
  let fatal: string | undefined
  let broken = 0

  const listener = createServer({ allowHalfOpen: false }, (client) => {
    if (mode === 'cut') {
      client.on('error', () => {})
      client.resetAndDestroy()
      return
    }
    const server = connect(port, '127.0.0.1')
    const pair = [client, server] as const
    pairs.add(pair)
    client.on('data', (bytes) => {
      if (fatal === undefined || !bytes.includes(fatal)) {
        server.write(bytes)
      } else {
        broken += 1
        client.resetAndDestroy()
      }
    })
    server.on('data', (bytes) => {
      const most = breaking.get(client)
      breaking.delete(client)
      if (most !== undefined) client.end(bytes.subarray(0, most))
      else if (mode !== 'swallowing') client.write(bytes)
    })
    for (const [from, to] of [pair, pair.toReversed() as [Socket, Socket]]) {
      from.on('error', () => {})
      from.on('close', () => {
        to.destroy()
        pairs.delete(pair)
      })
    }
    if (mode === 'frozen') for (const socket of pair) socket.pause()
  })
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const each = (change: (socket: Socket) => void): void => {
    for (const pair of pairs) for (const socket of pair) change(socket)
  }
  atEnd(t, () => {
    each((socket) => socket.destroy())
    listener.close()
  })
  return {
    port: (listener.address() as AddressInfo).port,
    get open() {
      return pairs.size
    },
    cut: () => {
      mode = 'cut'
      each((socket) => socket.resetAndDestroy())
    },
    freeze: () => {
      mode = 'frozen'
      each((socket) => socket.pause())
    },
    freezePresent: () => each((socket) => socket.pause()),
    swallowAnswers: () => {
      mode = 'swallowing'
    },
    breakWithinAnswers: (bytes) => {
      for (const [client] of pairs) breaking.set(client, bytes)
    },
    breakAt: (said) => {
      fatal = said
    },
    get broken() {
      return broken
    },
    mend: () => {
      mode = 'passing'
      fatal = undefined
      each((socket) => socket.resume())
    },
  }
}

/** A proxy before the server of `url`, and the URL that leads through it. */
export async function proxyTo(
  t: TestContext,
  url: string,
): Promise<{ readonly proxy: TcpProxy; readonly proxied: string }> {
  const proxied = new URL(url)
  const proxy = await startTcpProxy(t, { port: Number(proxied.port) })
  proxied.port = String(proxy.port)
  return { proxy, proxied: proxied.href }
}
