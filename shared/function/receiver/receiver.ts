// The HTTP server of an event function: limits and decoding, then the pipeline, then one answer and one log line.
//
//   idle ──start──▶ serving ──drain──▶ draining ──last delivery done, or budget spent──▶ drained ──stop──▶ closed
//
// R1  A delivery admitted while serving is finished or released, never dropped.
// R2  While draining every new request gets 503 with Retry-After; health still answers.
// R3  drain() may be called any number of times; all callers get the same receipt.
// R4  Every request is answered once, and counted once.

import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import { SluiceError } from '../../errors/index.ts'
import type { Component } from '../../lifecycle/index.ts'
import type { Clock } from '../../time/index.ts'
import { closeServer, listen } from '../listen.ts'
import type { Health } from '../operations/health.ts'
import { pathOf } from '../operations/operations-server.ts'
import { isFromOwnPage } from '../page-requests.ts'
import { receiverLimits, serverOptions, type ServerLimits } from '../server-limits.ts'
import { namesTwoHosts } from '../two-hosts.ts'
import { answerClientError } from './client-error.ts'
import { createConnections, type Connection } from './connections.ts'
import type { DrainedWork } from './drained-work.ts'
import type { Intake } from './intake.ts'
import type { OverloadGuard } from './overload-guard.ts'
import { admissionFor, overloaded, type Admissions } from './policies/admit.ts'
import { traceOfRequest } from './policies/trace.ts'
import { readBody, type Body } from './read-body.ts'
import { Reception } from './reception.ts'
import type { RecordReply } from './record.ts'
import { errorReply, sendReply, type Reply } from './reply.ts'
import { replyOfError } from './reply-of-error.ts'

export interface ReceiverOptions {
  readonly host: string
  readonly port: number
  readonly limits?: ServerLimits
}

export interface ReceiverDeps {
  readonly clock: Clock
  readonly health: Pick<Health, 'answer'>
  readonly admissions: Admissions
  /** Default: none, nothing is shed before its queue is full. */
  readonly guard?: Pick<OverloadGuard, 'sheds'> | undefined
  readonly intake: Intake
  readonly record: RecordReply
  /** Set by the lane driver. A dispatcher sends only fixed and `ce-` headers, so no record can forge it. */
  readonly laneTokenHeader: string | undefined
  /** Hands unfinished deliveries back; called when a drain runs out of time. Returns their ids. */
  readonly release: () => Promise<readonly string[]>
}

export interface Receiver extends Component {
  /** The open port; 0 before start. */
  port(): number
  /** Stops taking events and waits for those in flight until `signal` aborts; then releases them. */
  drain(signal: AbortSignal): Promise<DrainedWork>
  /** Ids of the deliveries that run now. */
  unfinished(): readonly string[]
}

/** One request, from its body on. */
interface Exchange {
  readonly response: ServerResponse
  readonly connection: Connection
  readonly reception: Reception
}

type Phase = { readonly name: 'serving' } | { readonly name: 'draining'; readonly receipt: Promise<DrainedWork> }

const notPost = errorReply('method_not_allowed', 'invalid', { allow: 'POST' })
const targetTooLong = errorReply('uri_too_long', 'invalid')
const twoHosts = errorReply('malformed_request', 'invalid')
const fromPage = errorReply('forbidden', 'invalid')
const encoded = errorReply('unsupported_media_type', 'invalid')
const tooLarge = errorReply('body_too_large', 'invalid')
const drainingReply = errorReply('draining', 'draining', { retryAfterS: 1 })
const gone: Reply = { status: 499, outcome: 'gone' }

export function createReceiver(options: ReceiverOptions, deps: ReceiverDeps): Receiver {
  const { limits = receiverLimits } = options
  const { clock, health, admissions, guard, intake, record } = deps
  let phase: Phase = { name: 'serving' }
  let port = 0

  // Idle connections are looked after by `connections`.
  const server = createServer({ ...serverOptions(limits), keepAliveTimeout: 0 }, (request, response) => {
    const { headers } = request
    const arrivedAtMs = clock.monotonic()
    const connection = connections.use(request.socket, arrivedAtMs)
    if (request.method !== 'POST' && answerHealth(request, response)) return
    const reception = new Reception({ headers, laneToken: laneTokenOf(headers), caller: response, arrivedAtMs })
    const refused = refuseHead(request, reception)
    if (refused !== undefined) return conclude(response, reception, refused)
    readBody({ request, connection }, limits, (body) => take({ response, connection, reception }, body))
  })
  const connections = createConnections({ idleMs: limits.keepAliveMs }, { server, clock })
  server.on('clientError', (error, socket) => void answerClientError(error, socket))

  function answerHealth(request: IncomingMessage, response: ServerResponse): boolean {
    if (request.method !== 'GET' && request.method !== 'HEAD') return false
    const answer = health.answer(pathOf(request.url))
    if (answer === undefined) return false
    response.writeHead(answer.status, [
      'content-type',
      'application/json',
      'content-length',
      String(Buffer.byteLength(answer.body)),
    ])
    response.end(answer.body)
    return true
  }

  function laneTokenOf(headers: IncomingHttpHeaders): string | undefined {
    const token = deps.laneTokenHeader === undefined ? undefined : headers[deps.laneTokenHeader]
    return typeof token === 'string' ? token : undefined
  }

  /** What can be told from the head alone. The cheapest refusals come first, before a body is read. */
  function refuseHead(request: IncomingMessage, reception: Reception): Reply | undefined {
    const { method, url = '/', headers } = request
    if (phase.name === 'draining') return drainingReply
    if (method !== 'POST') return notPost
    if (url.length > limits.targetLength) return targetTooLong
    if (namesTwoHosts(request)) return twoHosts
    if (isFromOwnPage(headers)) return fromPage
    const inTrouble = guard?.sheds()
    if (inTrouble !== undefined) return { ...overloaded, shed: inTrouble }
    if (admissionFor(admissions, reception).full()) return overloaded
    const encoding = headers['content-encoding']
    return encoding === undefined || encoding === 'identity' ? undefined : encoded
  }

  function take({ response, connection, reception }: Exchange, body: Body): void {
    if (body.kind === 'cut') return conclude(response, reception, gone)
    if (body.kind === 'oversized') {
      return conclude(response, reception, body.ended ? tooLarge : { ...tooLarge, close: true })
    }
    if (phase.name === 'draining') return conclude(response, reception, drainingReply)
    connections.begin(connection, reception)
    const finish = (reply: Reply): void => {
      conclude(response, reception, reply)
      connections.end(connection, reception)
    }
    try {
      const reply = intake(reception, body.bytes)
      if (reply instanceof Promise) void reply.then(finish, (error: unknown) => finish(replyOfError(error)))
      else finish(reply)
    } catch (error) {
      finish(replyOfError(error))
    }
  }

  function conclude(response: ServerResponse, reception: Reception, reply: Reply): void {
    const trace = reception.trace ?? traceOfRequest(reception)
    if (reply !== gone)
      sendReply(response, phase.name === 'draining' ? { ...reply, close: true } : reply, trace.traceId)
    record({ reception, reply, trace, seconds: (clock.monotonic() - reception.arrivedAtMs) / 1_000 })
  }

  async function drainNow(signal: AbortSignal): Promise<DrainedWork> {
    const begun = unfinished()
    const spent = new Promise<void>((resolve) => {
      if (signal.aborted) resolve()
      signal.addEventListener('abort', () => resolve(), { once: true })
    })
    await Promise.race([connections.idle(), spent])
    const left = connections.inFlight()
    const released = left.map(({ id }) => id)
    if (left.length > 0) {
      const reason = new SluiceError('draining', 'the process stops before the work ended')
      for (const reception of left) reception.abort(reason)
      await deps.release()
    }
    return { finished: begun.filter((id) => !released.includes(id)), released }
  }

  const unfinished = (): readonly string[] => connections.inFlight().map(({ id }) => id)

  return {
    name: 'receiver',
    start: async () => {
      port = await listen(server, { host: options.host, port: options.port, variable: 'PORT' })
    },
    stop: async () => {
      connections.stop()
      await closeServer(server, clock)
    },
    health: () => ({ status: server.listening ? 'up' : 'down' }),
    port: () => port,
    unfinished,
    drain: (signal) => {
      if (phase.name === 'serving') phase = { name: 'draining', receipt: drainNow(signal) }
      return phase.receipt
    },
  }
}
