// A hop before a server that makes the network bad, and counts what it did: the proof that a fault happened.

import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises'

export interface ToxicProxy {
  readonly port: number
  readonly counts: Readonly<ProxyCounts>
  /** Connections open now. */
  readonly open: () => number
  /** Connections in the black hole that their clients still hold. */
  readonly held: () => number
  /** Where the server is. */
  to(port: number): void
  /** Resets every open connection; new ones pass. */
  reset(): void
  /** Resets every open connection, and each new one until `mend`. */
  refuse(): void
  /** A black hole: the connections that are open now stay so and pass nothing on; new ones pass. */
  blackHole(): void
  /** Passes chunks on late, in order. */
  delay(latency: Latency): void
  /** Passes the first bytes of every chunk on in slices of this size, each a packet of its own, and the rest behind them. */
  slice(bytes: number): void
  /** Resets each connection that has passed so many bytes of answers on. */
  cutAfter(bytes: number): void
  /** Passes everything on again. What the black hole swallowed is lost, as its connections are. */
  mend(): void
  stop(): void
}

export interface Latency {
  readonly ms: number
  /** Uniform around `ms`. */
  readonly jitterMs: number
}

export interface ProxyCounts {
  connections: number
  resets: number
  refused: number
  /** Chunks that were delayed. */
  delayed: number
  slices: number
  /** Connections that were cut after their bytes. */
  cut: number
  /** Bytes that went into the black hole. */
  swallowed: number
}

interface Pair {
  readonly client: Socket
  readonly server: Socket
  answered: number
  lost: boolean
}

/** Heads of messages and what follows them are in here; slicing megabytes would only measure this proxy. */
const slicedHead = 64

export async function startToxicProxy({ port = 0 }: { readonly port?: number } = {}): Promise<ToxicProxy> {
  const counts: ProxyCounts = { connections: 0, resets: 0, refused: 0, delayed: 0, slices: 0, cut: 0, swallowed: 0 }
  const pairs = new Set<Pair>()
  let target = 0
  let refusing = false
  let latency: Latency | undefined
  let sliceBytes: number | undefined
  let cutBytes: number | undefined

  const listener = createServer({ pauseOnConnect: true }, (client) => {
    counts.connections += 1
    client.on('error', () => {})
    if (refusing) {
      counts.refused += 1
      client.resetAndDestroy()
      return
    }
    const server = connect(target, '127.0.0.1')
    const pair: Pair = { client, server, answered: 0, lost: false }
    pairs.add(pair)
    pass(pair, [client, server], () => true)
    pass(pair, [server, client], (bytes) => {
      pair.answered += bytes
      return cutBytes === undefined || pair.answered <= cutBytes
    })
    client.resume()
  })

  function pass(pair: Pair, [from, to]: readonly [Socket, Socket], mayPass: (bytes: number) => boolean): void {
    let last = Promise.resolve()
    from.setNoDelay(true)
    from.on('error', () => {})
    from.on('data', (bytes) => {
      if (pair.lost) {
        counts.swallowed += bytes.length
      } else if (!mayPass(bytes.length)) {
        counts.cut += 1
        drop(pair)
      } else if (latency === undefined && sliceBytes === undefined) {
        void last.then(() => to.write(bytes)) // after what is still delayed
      } else {
        const due = performance.now() + delayMs()
        last = last.then(() => late(to, bytes, due))
      }
    })
    from.on('close', () => {
      if (pair.lost) return // a black hole does not tell the other side either
      pairs.delete(pair)
      void last.then(() => to.destroy())
    })
  }

  function delayMs(): number {
    if (latency === undefined) return 0
    counts.delayed += 1
    return latency.ms + (Math.random() * 2 - 1) * latency.jitterMs
  }

  async function late(to: Socket, bytes: Buffer, due: number): Promise<void> {
    const waitMs = due - performance.now()
    if (waitMs > 0) await sleep(waitMs)
    const size = sliceBytes ?? slicedHead
    const sliced = sliceBytes === undefined ? 0 : Math.min(bytes.length, slicedHead)
    for (let at = 0; at < sliced && !to.destroyed; at += size) {
      counts.slices += 1
      to.write(bytes.subarray(at, Math.min(sliced, at + size)))
      await turn()
    }
    if (sliced < bytes.length) to.write(bytes.subarray(sliced))
  }

  function drop(pair: Pair): void {
    pairs.delete(pair)
    pair.client.resetAndDestroy()
    pair.server.destroy()
  }

  function reset(): void {
    for (const pair of pairs) {
      counts.resets += 1
      drop(pair)
    }
  }

  listener.listen(port, '127.0.0.1')
  await once(listener, 'listening')
  return {
    port: (listener.address() as AddressInfo).port,
    counts,
    open: () => pairs.size,
    held: () => [...pairs].filter(({ lost, client }) => lost && !client.destroyed).length,
    to: (next) => {
      target = next
    },
    reset,
    refuse: () => {
      refusing = true
      reset()
    },
    blackHole: () => {
      for (const pair of pairs) pair.lost = true
    },
    delay: (next) => {
      latency = next
    },
    slice: (bytes) => {
      sliceBytes = bytes
    },
    cutAfter: (bytes) => {
      cutBytes = bytes
    },
    mend: () => {
      refusing = false
      latency = undefined
      sliceBytes = undefined
      cutBytes = undefined
      for (const pair of pairs) if (pair.lost) drop(pair)
    },
    stop: () => {
      listener.close()
      reset()
    },
  }
}
