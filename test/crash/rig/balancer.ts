// One address for the instances of a function, as a Service is: each connection goes to the next instance that is in rotation
// and answers. While there is none, connections wait, as they do at Knative's activator. An instance that is taken out loses its
// connections, as when a pod leaves the endpoints.

import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

export interface Balancer {
  takeOut(port: number): void
  putIn(port: number): void
  stop(): void
}

export interface BalancerOptions {
  readonly port: number
  readonly instances: readonly number[]
}

const lookAgainMs = 100

export async function startBalancer({ port, instances }: BalancerOptions): Promise<Balancer> {
  const out = new Set<number>()
  const pairs = new Set<{ readonly client: Socket; readonly server: Socket; readonly instance: number }>()
  let turn = 0

  const listener = createServer({ pauseOnConnect: true }, (client) => {
    client.on('error', () => {})
    dialAny(client)
  })

  function dialAny(client: Socket): void {
    turn += 1
    const order = instances.map((_, index) => instances[(index + turn) % instances.length] ?? 0)
    const serving = order.filter((instance) => !out.has(instance))
    dial(client, serving)
  }

  async function wait(client: Socket): Promise<void> {
    await sleep(lookAgainMs)
    if (!client.destroyed && listener.listening) dialAny(client)
  }

  function dial(client: Socket, [instance, ...others]: readonly number[]): void {
    if (instance === undefined) return void wait(client)
    const server = connect(instance, '127.0.0.1')
    const onRefused = (): void => dial(client, others)
    server.once('error', onRefused)
    server.once('connect', () => {
      server.off('error', onRefused)
      server.on('error', () => {})
      const pair = { client, server, instance }
      pairs.add(pair)
      for (const [from, to] of [
        [client, server],
        [server, client],
      ] as const) {
        from.setNoDelay(true)
        from.pipe(to)
        from.on('close', () => {
          to.destroy()
          pairs.delete(pair)
        })
      }
      client.resume()
    })
  }

  listener.listen(port, '127.0.0.1')
  await once(listener, 'listening')
  const cut = (which: (instance: number) => boolean): void => {
    for (const { client, server, instance } of pairs) {
      if (!which(instance)) continue
      client.resetAndDestroy()
      server.destroy()
    }
  }
  return {
    takeOut: (instance) => {
      out.add(instance)
      cut((one) => one === instance)
    },
    putIn: (instance) => void out.delete(instance),
    stop: () => {
      listener.close()
      cut(() => true)
    },
  }
}
