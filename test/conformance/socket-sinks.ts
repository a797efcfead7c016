// Sinks on node:http: what the captured dispatcher met. They answer as scripted, delays in virtual time; the twin reaches them
// with its real sender, led to their ports. Time stands while bytes are on their way (`busy`).

import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import {
  createHttpSender,
  isFolded,
  type SendOptions,
  type SendOutcome,
  type SinkRequest,
} from '../../local/kafka-source/index.ts'
import { allotPorts } from '../../local/runner/index.ts'
import type { Clock } from '../../shared/time/index.ts'
import type { ParserRefusal } from './capture.ts'
import { fromSocket, pathOf } from './received-request.ts'
import { bodyOf, scriptOf, type Script } from './scripted-answer.ts'
import { createSinkLedger, isClosed, type Arrival, type Destination } from './sink-ledger.ts'
import type { Sinks, SinksOptions } from './sinks.ts'

export interface SocketSinks extends Sinks {
  readonly busy: () => boolean
}

export async function startSocketSinks(
  { deadLetterUri, answerFor }: SinksOptions,
  { clock }: { readonly clock: Clock },
): Promise<SocketSinks> {
  const ledger = createSinkLedger(answerFor, { clock })
  const refused: ParserRefusal[] = []
  let active = 0
  let parked = 0

  /** Waits in virtual time, or for ever, and says whether the client is still there. */
  async function park(ms: number | undefined, outgoing: ServerResponse): Promise<'there' | 'gone'> {
    const gone = new AbortController()
    outgoing.once('close', () => gone.abort())
    parked += 1
    try {
      if (ms === undefined) await once(outgoing, 'close')
      else await clock.sleep(ms, gone.signal)
      return ms === undefined || gone.signal.aborted ? 'gone' : 'there'
    } catch {
      return 'gone'
    } finally {
      parked -= 1
    }
  }

  async function serve(to: 'sink' | 'dls'): Promise<Server> {
    const server = createServer({ keepAliveTimeout: 60_000 }, (incoming, outgoing) => {
      outgoing.on('error', () => undefined)
      void handle(to, { incoming, outgoing })
    })
    server.on('clientError', (error: Error & { code?: string; reason?: string }, socket) => {
      if (error.code === 'ECONNRESET' || !socket.writable) {
        socket.destroy()
        return
      }
      const { code = '', reason = '' } = error
      const status = code === 'HPE_HEADER_OVERFLOW' ? 431 : 400
      refused.push({ to, code, reason, status })
      socket.end(`HTTP/1.1 ${status} Refused\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`)
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return server
  }

  async function handle(server: 'sink' | 'dls', { incoming, outgoing }: Exchange): Promise<void> {
    const request = fromSocket(incoming)
    const to: Destination = incoming.url?.startsWith('/redirected/') === true ? 'redirect' : server
    const arrival = ledger.arrived(to, request)
    const { early } = scriptOf(arrival.answer)
    if (early !== 'close') {
      const whole = readBody(incoming).then((body) => (request.body = body))
      if (early === undefined) await whole
    }
    let how: 'answered' | 'closed' = 'answered'
    try {
      how = await answer(arrival, { incoming, outgoing })
    } finally {
      arrival.end(how)
    }
  }

  async function answer({ answer: scripted }: Arrival, exchange: Exchange): Promise<'answered' | 'closed'> {
    const script = scriptOf(scripted)
    const { outgoing } = exchange
    const { delayMs = 0, stall, drip, informational, then = 200, early } = script
    if (delayMs > 0 && (await park(delayMs, outgoing)) === 'gone') return 'closed'
    if (breaks(script, exchange)) return 'answered'
    if (stall !== undefined) {
      outgoing.writeHead(stall.status).write('x')
      await park(undefined, outgoing)
      return 'closed'
    }
    if (drip !== undefined) {
      outgoing.writeHead(drip.status ?? 200).write('x')
      for (let chunk = 0; chunk < drip.chunks; chunk += 1) {
        if ((await park(drip.everyMs, outgoing)) === 'gone') return 'closed'
        outgoing.write('x')
      }
      outgoing.end()
      return 'answered'
    }
    if (informational !== undefined) exchange.incoming.socket.write(`HTTP/1.1 ${informational} Interim\r\n\r\n`)
    if (early === 'close') outgoing.setHeader('connection', 'close')
    outgoing.writeHead(informational === undefined ? (script.status ?? 200) : then, { ...script.headers } as Record<
      string,
      string
    >)
    outgoing.end(bodyOf(script))
    if (early === 'close') outgoing.once('finish', () => exchange.incoming.socket.destroy())
    return 'answered'
  }

  const servers = { sink: await serve('sink'), dls: await serve('dls') }
  const deadLetterHost = deadLetterUri === undefined ? undefined : URL.parse(deadLetterUri)?.host
  const isDeadLetter = (url: string): boolean => URL.parse(url)?.host === deadLetterHost
  const portOf = (server: Server): number => (server.address() as AddressInfo).port
  const [nobody = 0] = await allotPorts(1)
  const dial = ({ host, port }: { readonly host: string; readonly port: number }): { host: string; port: number } => {
    const url = `http://${host}:${port}/`
    return { host: '127.0.0.1', port: isClosed(url) ? nobody : portOf(isDeadLetter(url) ? servers.dls : servers.sink) }
  }
  const sender = createHttpSender({ clock, dial })

  async function send(request: SinkRequest, options: SendOptions): Promise<SendOutcome> {
    active += 1
    try {
      if (!isFolded(request)) return await sender.send(request, options)
      return await sendRaw(request, portOf(isDeadLetter(request.url) ? servers.dls : servers.sink))
    } finally {
      active -= 1
    }
  }

  return {
    sender: { send },
    steps: ledger.steps,
    refused,
    maxInFlight: ledger.maxInFlight,
    busy: () => active !== parked,
    close: async () => {
      sender.close()
      for (const server of Object.values(servers)) {
        server.closeAllConnections()
        server.close()
        await once(server, 'close')
      }
    },
  }
}

interface Exchange {
  readonly incoming: IncomingMessage
  readonly outgoing: ServerResponse
}

async function readBody(incoming: IncomingMessage): Promise<Buffer | undefined> {
  try {
    const chunks: Buffer[] = []
    for await (const chunk of incoming) chunks.push(chunk as Buffer)
    return Buffer.concat(chunks)
  } catch {
    return undefined // the client went away, or the sink did not want it
  }
}

/** Answers that end the connection instead. */
function breaks({ close, reset }: Script, { incoming: { socket } }: Exchange): boolean {
  const where = close ?? reset
  if (where === undefined) return false
  const end = (): void => void (reset === undefined ? socket.destroySoon() : socket.resetAndDestroy())
  const head = 'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n'
  const written = where === 'body' ? `${head}\r\nhalf` : where === 'before' ? '' : head.slice(0, -10)
  if (written === '') end()
  else socket.write(written, end)
  return true
}

/** What node:http would not write: a folded header value. */
async function sendRaw({ method, url, headers, body }: SinkRequest, port: number): Promise<SendOutcome> {
  const socket: Duplex = connect(port, '127.0.0.1')
  const lines = [`${method} ${pathOf(url)} HTTP/1.1`, ...headers.map(([name, value]) => `${name}: ${value}`), '', '']
  socket.write(Buffer.concat([Buffer.from(lines.join('\r\n'), 'latin1'), body ?? Buffer.alloc(0)]))
  let answer = ''
  for await (const chunk of socket) answer += String(chunk)
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 0)
  return status === 0
    ? { kind: 'broken', reason: 'no answer' }
    : { kind: 'answer', status, headers: [], body: Buffer.alloc(0) }
}
