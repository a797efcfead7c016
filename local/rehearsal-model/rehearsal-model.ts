// A chat model to rehearse with: a real HTTP server that speaks the OpenAI chat-completions protocol, thinks by a few rules
// and always answers the same question the same way. A script makes it misbehave. README.md shows how to use it.

import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { SluiceError, messageOf } from '../../shared/errors/index.ts'
import { parseTraceparent } from '../../shared/telemetry/index.ts'
import { systemClock, type Clock } from '../../shared/time/index.ts'
import { lastQuestion, readChatRequest, roundOf } from './chat-request.ts'
import { createLedger, type LedgerEntry } from './ledger.ts'
import { perform } from './perform.ts'
import { sendError, sendJson } from './respond.ts'
import { createPrompter, parseScript, type Script } from './script.ts'

export interface RehearsalModelOptions {
  /** 0 takes a free one. */
  readonly port: number
  /** Default 127.0.0.1. */
  readonly host?: string
  readonly script?: Script
  /** Pause before each word of an answer, in milliseconds. Default 10: an answer streams visibly and a turn stays short. */
  readonly delayMs?: number
}

export interface RehearsalModel {
  /** What MODEL_BASE_URL takes: `http://127.0.0.1:<port>/v1`. */
  readonly url: string
  readonly port: number
  /** Replaces the script. */
  play(script: Script): void
  /** Requests so far, oldest first. */
  requests(): readonly LedgerEntry[]
  /** Cuts what is open and frees the port. */
  stop(): Promise<void>
}

const mostBodyBytes = 8 * 1_024 * 1_024

export async function startRehearsalModel(
  { port, host = '127.0.0.1', script = { rules: [] }, delayMs = 10 }: RehearsalModelOptions,
  { clock = systemClock }: { readonly clock?: Clock } = {},
): Promise<RehearsalModel> {
  const ledger = createLedger()
  let prompter = createPrompter(script)
  const play = (next: Script): void => {
    prompter = createPrompter(next)
  }

  const answer = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const read = readChatRequest(await bodyOf(incoming))
    if (!read.ok) return sendError(response, { status: 400, message: read.message })
    const { request } = read
    const [session = '', turn = ''] = String(incoming.headers['x-client-request-id'] ?? '').split('/')
    const asked = {
      message: lastQuestion(request.messages),
      round: roundOf(request.messages),
      model: request.model,
      session,
      turn,
    }
    const rule = prompter.ruleFor(asked)
    const trace = parseTraceparent(String(incoming.headers['traceparent'] ?? ''))?.traceId ?? ''
    const { stream, tools } = request
    const at = clock.now()
    const entry = ledger.open({
      ...asked,
      trace_id: trace,
      stream,
      tools: tools.map(({ name }) => name),
      rule: rule?.name ?? '',
      at,
    })
    const gone = new AbortController()
    response.once('close', () => gone.abort(new Error('the client is gone')))
    try {
      const salt = `${session}/${turn}/${trace}`
      entry.outcome = await perform(
        { request, response, salt, action: rule?.action ?? {} },
        { clock, signal: gone.signal, delayMs },
      )
    } catch (error) {
      if (!gone.signal.aborted) throw error
      entry.outcome = 'abandoned'
    } finally {
      entry.duration_ms = clock.now() - at
    }
  }

  const route = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { pathname, searchParams } = new URL(incoming.url ?? '/', 'http://rehearsal')
    const text = (name: string): string | undefined => searchParams.get(name) ?? undefined
    switch (`${incoming.method ?? ''} ${pathname.replace(/^\/v1(?=\/)/, '')}`) {
      case 'POST /chat/completions':
        return answer(incoming, response)
      case 'GET /models':
        return sendJson(response, {
          object: 'list',
          data: [{ id: 'rehearsal', object: 'model', created: 0, owned_by: 'sluice' }],
        })
      case 'GET /rehearsal/requests': {
        const requests = ledger.find({ session: text('session'), turn: text('turn'), message: text('message') })
        return sendJson(response, { count: requests.length, requests })
      }
      case 'DELETE /rehearsal/requests':
        ledger.clear()
        return void response.writeHead(204).end()
      case 'PUT /rehearsal/script':
        play(parseScript(await bodyOf(incoming)))
        return void response.writeHead(204).end()
      case 'GET /live':
      case 'GET /ready':
        return sendJson(response, { status: 'ready' })
      default:
        return sendError(response, {
          status: 404,
          message: `Unknown request URL: ${incoming.method ?? ''} ${pathname}`,
        })
    }
  }

  const server = createServer((incoming, response) => {
    route(incoming, response).catch((error: unknown) => {
      if (response.headersSent) response.destroy()
      else sendError(response, { status: statusOf(error), message: messageOf(error) })
    })
  })
  server.listen(port, host)
  await once(server, 'listening').catch((cause: unknown) => {
    throw new SluiceError('port_taken', `the rehearsal model cannot listen on ${host}:${port}: ${messageOf(cause)}`, {
      cause,
    })
  })
  const address = server.address() as AddressInfo
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${address.port}/v1`,
    port: address.port,
    play,
    requests: () => ledger.find({}),
    stop: async () => {
      const closed = once(server, 'close')
      if (!server.listening) return
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

function statusOf(error: unknown): number {
  if (!(error instanceof SluiceError)) return 500
  return error.code === 'body_too_large' ? 413 : 400
}

async function bodyOf(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    length += chunk.byteLength
    if (length <= mostBodyBytes) chunks.push(chunk) // the rest is read and dropped, so that the client hears why
  }
  if (length > mostBodyBytes) throw new SluiceError('body_too_large', `the body is over ${mostBodyBytes} bytes`)
  return Buffer.concat(chunks).toString('utf8')
}
