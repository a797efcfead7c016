// The servers that functions lean on, each a real one behind a proxy, to be killed, stopped and started again at will. A server
// keeps its port and its data over its deaths; only Redis forgets, as it is allowed to.

import { allotPorts } from '../../../local/runner/index.ts'
import { startKillablePostgres } from '../../support/killable-postgres.ts'
import { childrenOf, processState } from '../../support/process-state.ts'
import { startBrokerFromJars } from '../../support/services/kafka/broker-from-jars.ts'
import { findRedisProgram, startRedisProcess } from '../../support/services/redis.ts'
import { until } from '../../support/until.ts'
import { startToxicProxy, type ToxicProxy } from './toxic-proxy.ts'

export interface FaultyServer {
  readonly name: string
  /** What functions connect to. */
  readonly url: string
  readonly proxy: ToxicProxy
  readonly pid: () => number
  /** Ends it at once and waits until it is gone. Postgres: `-m immediate`, the others: SIGKILL. Returns the proof. */
  crash(): Promise<string>
  /** After crash(). Resolves with the proof when it serves again. */
  start(): Promise<string>
  /** SIGSTOP until the function that it returns is called. Resolves when the system says that it stands still. */
  freeze(): Promise<{ readonly proof: string; wake(): void }>
  stop(): Promise<void>
}

interface Program {
  readonly name: string
  readonly port: number
  readonly pid: () => number
  /** Other processes that stand and fall with it. */
  readonly family?: () => readonly number[]
  readonly end: () => Promise<unknown>
  readonly start: () => Promise<unknown>
  readonly stop: () => Promise<unknown>
}

function behindProxy(program: Program, proxy: ToxicProxy, url: string): FaultyServer {
  const { name, pid } = program
  proxy.to(program.port)
  return {
    name,
    url,
    proxy,
    pid,
    crash: async () => {
      const before = pid()
      await program.end()
      if (processState(before) !== '') throw new Error(`${name} ${before} is still there`)
      return `${name} ${before} is gone`
    },
    start: async () => {
      await program.start()
      return `${name} ${pid()} came`
    },
    freeze: async () => {
      const all = [pid(), ...(program.family?.() ?? [])]
      for (const one of all) process.kill(one, 'SIGSTOP')
      const wake = (): void => {
        for (const one of all) if (processState(one) !== '') process.kill(one, 'SIGCONT')
      }
      try {
        await until(`${name} stands still`, () => all.every((one) => ['T', ''].includes(processState(one))))
      } catch (error) {
        wake()
        throw error
      }
      return { proof: `${name} ${pid()} in state ${processState(pid())}`, wake }
    },
    stop: async () => {
      proxy.stop()
      await program.stop()
    },
  }
}

const through = (url: string, { port }: ToxicProxy): string => {
  const proxied = new URL(url)
  proxied.port = String(port)
  return proxied.href
}

export async function startFaultyPostgres(folder: string): Promise<FaultyServer & { readonly direct: string }> {
  const server = await startKillablePostgres(folder, { maxConnections: 200 })
  const proxy = await startToxicProxy()
  const program: Program = {
    name: 'postmaster',
    port: server.port,
    pid: server.pid,
    family: () => childrenOf(server.pid()),
    end: () => server.kill(),
    start: () => server.startAgain(),
    stop: () => server.stop(),
  }
  return { ...behindProxy(program, proxy, through(server.url, proxy)), direct: server.url }
}

export async function startFaultyRedis(): Promise<FaultyServer & { readonly direct: string }> {
  const found = await findRedisProgram()
  if (!found.available) throw new Error(found.reason)
  const [port = 0] = await allotPorts(1)
  const start = () => startRedisProcess({ port, program: found.program, limitMs: 10_000 })
  let child = await start()
  const proxy = await startToxicProxy()
  const program: Program = {
    name: 'redis',
    port,
    pid: () => child.pid,
    end: () => {
      child.kill('SIGKILL')
      return child.exited
    },
    start: async () => {
      child = await start()
    },
    stop: () => child.stop({ limitMs: 5_000 }),
  }
  const direct = `redis://127.0.0.1:${port}`
  return { ...behindProxy(program, proxy, through(direct, proxy).replace(/\/$/, '')), direct }
}

/** Undefined where there is none to be had, with the reason printed. */
export async function startFaultyKafka(
  folder: string,
  print: (line: string) => void,
): Promise<FaultyServer | undefined> {
  const proxy = await startToxicProxy()
  // Clients go where the broker tells them to, so it must name the proxy.
  const broker = await startBrokerFromJars({ folder, advertisedPort: proxy.port })
  if ('missing' in broker) {
    proxy.stop()
    print(`no Kafka broker: ${broker.missing}`)
    return undefined
  }
  const program: Program = {
    name: 'broker',
    port: Number(broker.brokers.split(':')[1]),
    pid: () => broker.pid,
    end: () => broker.end(),
    start: () => broker.startAgain(),
    stop: () => broker.stop(),
  }
  return behindProxy(program, proxy, `127.0.0.1:${proxy.port}`)
}
