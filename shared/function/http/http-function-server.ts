// The server of an HTTP function and how it drains.
//
//   serving ──drain──▶ draining: new requests 503 ──in-flight ended──▶ streams closed ──▶ closed
//
// S1  A request taken while serving is answered.
// S2  A stream is not waited for; it is told to end when everything else is done.
// S3  At most as many requests run as the contract's concurrency; streams have a limit of their own.

import type { FastifyRequest } from 'fastify'
import { messageOf, SluiceError } from '../../errors/index.ts'
import type { Component } from '../../lifecycle/index.ts'
import type { HttpContext, Routes } from '../composition.ts'
import type { HttpFunction } from '../contract.ts'
import { closeServer, listen } from '../listen.ts'
import type { Instruments } from '../../telemetry/index.ts'
import type { OverloadGuard } from '../receiver/overload-guard.ts'
import type { DrainedWork } from '../receiver/drained-work.ts'
import type { ServerLimits } from '../server-limits.ts'
import { createHttpApp, type HttpAppDeps } from './http-function-app.ts'

export interface HttpServerOptions {
  readonly host: string
  readonly port: number
  readonly limits?: ServerLimits
}

export interface HttpServerDeps extends Omit<
  HttpAppDeps,
  'draining' | 'sheds' | 'onBegin' | 'onWork' | 'onEnd' | 'instruments'
> {
  readonly instruments: HttpAppDeps['instruments'] & Pick<Instruments, 'admissionRunning'>
  readonly guard?: Pick<OverloadGuard, 'sheds'> | undefined
  readonly routes: Routes
  readonly context: Omit<HttpContext, 'openStream'>
}

export interface HttpFunctionServer extends Component {
  port(): number
  drain(signal: AbortSignal): Promise<DrainedWork>
  closeStreams(): Promise<void>
  unfinished(): readonly string[]
}

const nobodyWaits = (): void => undefined

export function createHttpFunctionServer(
  definition: HttpFunction,
  options: HttpServerOptions,
  deps: HttpServerDeps,
): HttpFunctionServer {
  const { clock, log, guard } = deps
  const { admissionRunning } = deps.instruments
  const running = new Map<FastifyRequest, string>()
  /** Of those that run the ones that hold a place. */
  const working = new Set<FastifyRequest>()
  const streams = new Map<FastifyRequest, () => void | Promise<void>>()
  let idle = nobodyWaits
  let receipt: Promise<DrainedWork> | undefined
  let port = 0

  admissionRunning.collect = () => admissionRunning.set({ door: 'http' }, working.size)

  const onEnd = (request: FastifyRequest): void => {
    streams.delete(request)
    working.delete(request)
    running.delete(request)
    if (running.size === 0) idle()
  }
  const app = createHttpApp(
    definition,
    {
      ...deps,
      draining: () => receipt !== undefined,
      sheds: () => guard?.sheds() ?? (working.size >= definition.scale.concurrency ? 'queue' : undefined),
      onBegin: (request) => {
        running.set(request, `${request.method} ${request.routeOptions.url ?? '(none)'} ${request.trace.traceId}`)
      },
      onWork: (request) => void working.add(request),
      onEnd,
    },
    options.limits,
  )
  const openStream: HttpContext['openStream'] = (request, close) => {
    if (!running.has(request)) return // its client has left
    working.delete(request)
    running.delete(request)
    if (running.size === 0) idle()
    streams.set(request, close)
  }

  async function drainNow(signal: AbortSignal): Promise<DrainedWork> {
    const begun = [...running.values()]
    if (running.size > 0) {
      await new Promise<void>((resolve) => {
        idle = resolve
        if (signal.aborted) resolve()
        signal.addEventListener('abort', () => resolve(), { once: true })
      })
    }
    const left = [...running.values()]
    return { finished: begun.filter((id) => !left.includes(id)), released: left }
  }

  return {
    name: 'http-server',
    start: async () => {
      await deps.routes(app, { ...deps.context, openStream })
      try {
        await app.ready()
      } catch (cause) {
        throw new SluiceError('start_failed', `the routes do not hold together: ${messageOf(cause)}`, { cause })
      }
      port = await listen(app.server, { host: options.host, port: options.port, variable: 'PORT' })
    },
    stop: async () => {
      await closeServer(app.server, clock)
      await app.close()
    },
    health: () => ({ status: app.server.listening ? 'up' : 'down' }),
    port: () => port,
    unfinished: () => [...running.values()],
    drain: (signal) => (receipt ??= drainNow(signal)),
    closeStreams: async () => {
      const closing = [...streams.values()].map(async (close) => close())
      for (const result of await Promise.allSettled(closing)) {
        if (result.status === 'rejected')
          log.warn({ code: 'internal', reason: messageOf(result.reason) }, 'a stream did not close cleanly')
      }
    },
  }
}
