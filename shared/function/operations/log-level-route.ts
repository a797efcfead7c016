// GET and PUT /log-level on the operations port: an operator sees more, or less, of one process for a while.
//
//   curl -X PUT localhost:9464/log-level -H 'content-type: application/json' -d '{"level":"debug","seconds":300}'
//
// LR1  Only from the machine (or pod) itself, as `kubectl port-forward` comes: who can merely reach the port must neither
//      blind the operators nor fill their disks. The serving port does not know the path at all.
// LR2  A web page cannot ask for it: the content type makes a browser ask first, and nobody says yes. A page that the browser
//      takes for one of ours, because its name was made to resolve to this machine, names that name in Host.

import type { IncomingMessage } from 'node:http'
import { parseJson } from '../../events/index.ts'
import { namesThisMachine } from '../page-requests.ts'
import { changeableLevels, type ChangeableLevel, type LogLevel } from '../../telemetry/index.ts'

export interface RouteAnswer {
  readonly status: number
  readonly body: string
  readonly allow?: string
}

const longestBody = 1_024
const defaultSeconds = 900
const mostSeconds = 86_400

export async function answerLogLevel(request: IncomingMessage, logLevel: LogLevel): Promise<RouteAnswer> {
  if (request.method === 'GET' || request.method === 'HEAD') return ok(logLevel.state())
  if (request.method !== 'PUT') return { status: 405, body: '', allow: 'GET, HEAD, PUT' }
  if (!isLocal(request) || !namesThisMachine(request.headers))
    return refusal(403, 'only from the machine or pod itself, as through kubectl port-forward')
  const type = request.headers['content-type']?.split(';', 1)[0]?.trim()
  if (type !== 'application/json') return refusal(415, 'content-type must be application/json')
  const body = await readShort(request)
  const asked = body === undefined ? undefined : askedFor(body)
  if (asked === undefined)
    return refusal(422, `expected {"level": ${changeableLevels.join(' | ')}, "seconds"?: 1 to ${mostSeconds}}`)
  return ok(logLevel.change(asked.level, asked.seconds * 1_000))
}

const ok = (state: object): RouteAnswer => ({ status: 200, body: JSON.stringify(state) })
const refusal = (status: number, detail: string): RouteAnswer => ({ status, body: JSON.stringify({ detail }) })

const isLocal = ({ socket }: IncomingMessage): boolean =>
  /^(?:::1|(?:::ffff:)?127\.\d+\.\d+\.\d+)$/.test(socket.remoteAddress ?? '')

async function readShort(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > longestBody) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

interface Asked {
  readonly level: ChangeableLevel
  readonly seconds: number
}

function askedFor(body: Buffer): Asked | undefined {
  const parsed = parseJson(body)
  if (!parsed.ok || typeof parsed.value !== 'object' || parsed.value === null) return undefined
  const { level: named, seconds = defaultSeconds } = parsed.value as Readonly<Record<string, unknown>>
  const level = changeableLevels.find((candidate) => candidate === named)
  const isSpan = typeof seconds === 'number' && seconds >= 1 && seconds <= mostSeconds
  return level === undefined || !isSpan ? undefined : { level, seconds }
}
