// A gateway that says what a test scripts: each connection of the stream gets the next piece of the script.

import type { TestContext } from 'node:test'
import { startLoopbackServer, type LoopbackServer } from '../../support/index.ts'

export interface ScriptedStream {
  readonly status?: number
  /** Written as it is, then the connection ends, or is cut with `cut`. */
  readonly text?: string
  readonly cut?: boolean
  /** Stays open after the text. */
  readonly open?: boolean
}

export interface ScriptedGatewayOptions {
  readonly streams?: readonly ScriptedStream[]
  /** Answers to messages, in order; the last one repeats. */
  readonly messages?: readonly { readonly status: number; readonly body?: object }[]
}

export const accepted = { status: 202, body: { session_id: 's-1', event_id: 'e-1', turn_id: 't-1' } }
export const trace = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'

export async function scriptedGateway(
  t: TestContext,
  { streams = [], messages = [accepted] }: ScriptedGatewayOptions,
): Promise<LoopbackServer> {
  let connection = 0
  let message = 0
  return startLoopbackServer(t, (request, response) => {
    if (request.method === 'POST') {
      const { status, body = {} } = messages[Math.min(message, messages.length - 1)] ?? accepted
      message += 1
      request.resume()
      response.writeHead(status, { 'content-type': 'application/json', traceresponse: trace }).end(JSON.stringify(body))
      return
    }
    const { status = 200, text = '', cut = false, open = false } = streams[connection] ?? { open: true }
    connection += 1
    response.writeHead(status, { 'content-type': status === 200 ? 'text/event-stream' : 'application/problem+json' })
    response.write(text)
    if (cut) setTimeout(() => response.destroy(), 20)
    else if (!open) response.end()
  })
}

export const durable = (position: number, type: string, data: object = {}): string =>
  `id: ${position}\nevent: conversation.${type}.v1\ndata: ${JSON.stringify({ position, event_id: `e-${position}`, turn_id: 't-1', data })}\n\n`

export const delta = (
  text: string,
  at: { readonly round?: number; readonly attempt?: number; readonly index?: number } = {},
): string =>
  `event: delta\ndata: ${JSON.stringify({ turn_id: 't-1', round: 1, attempt: 1, index: 0, ...at, text })}\n\n`
