// Writes an answer in the protocol, whole or as a stream of chunks, word by word – and, on demand, stops in the middle.

import type { ServerResponse } from 'node:http'
import type { Clock } from '../../shared/time/index.ts'
import type { Reply } from './mind/index.ts'

export interface AnswerFrame {
  readonly id: string
  readonly model: string
  /** Epoch seconds. */
  readonly created: number
  readonly usage: { readonly prompt_tokens: number; readonly completion_tokens: number; readonly total_tokens: number }
  readonly finishReason: string
}

export interface Pace {
  readonly delayMs: number
  /** Break the connection after so many pieces. */
  readonly cutAfter: number | undefined
  /** Fall silent after so many pieces. */
  readonly hangAfter: number | undefined
}

/** How the writing ended. `abandoned` is decided by the caller, whose signal aborts it. */
export type Written = 'answered' | 'cut'

export interface WriteDeps {
  readonly clock: Clock
  readonly signal: AbortSignal
}

export async function streamAnswer(
  response: ServerResponse,
  {
    reply,
    frame,
    pace,
    includeUsage,
  }: { readonly reply: Reply; readonly frame: AnswerFrame; readonly pace: Pace; readonly includeUsage: boolean },
  { clock, signal }: WriteDeps,
): Promise<Written> {
  const { id, model, created } = frame
  const head = { id, object: 'chat.completion.chunk', created, model }
  const send = (more: object): boolean => response.write(`data: ${JSON.stringify({ ...head, ...more })}\n\n`)
  const choice = (delta: object, finish: string | null = null): boolean =>
    send({ choices: [{ index: 0, delta, finish_reason: finish }] })
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' })
  choice({ role: 'assistant', content: reply.kind === 'text' ? '' : null })
  let written = 0
  for (const delta of piecesOf(reply)) {
    if (written === pace.cutAfter) return cut(response)
    if (written === pace.hangAfter) await forEver(signal)
    await clock.sleep(pace.delayMs, signal)
    if (!choice(delta)) await drained(response, signal)
    written += 1
  }
  if (pace.cutAfter !== undefined) return cut(response)
  if (pace.hangAfter !== undefined) await forEver(signal)
  choice({}, frame.finishReason)
  if (includeUsage) send({ choices: [], usage: frame.usage })
  response.end('data: [DONE]\n\n')
  return 'answered'
}

export async function sendAnswer(
  response: ServerResponse,
  { reply, frame, pace }: { readonly reply: Reply; readonly frame: AnswerFrame; readonly pace: Pace },
  { clock, signal }: WriteDeps,
): Promise<Written> {
  const { id, model, created, usage, finishReason } = frame
  const calls = reply.kind === 'text' ? {} : { tool_calls: reply.calls.map(callOf) }
  const message = { role: 'assistant', content: reply.kind === 'text' ? reply.text : null, ...calls }
  const body = JSON.stringify({
    id,
    object: 'chat.completion',
    created,
    model,
    choices: [{ index: 0, message, finish_reason: finishReason }],
    usage,
  })
  await clock.sleep(pace.delayMs * piecesOf(reply).length, signal)
  if (pace.hangAfter !== undefined) await forEver(signal)
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) })
  if (pace.cutAfter === undefined) {
    response.end(body)
    return 'answered'
  }
  response.write(body.slice(0, Math.floor(body.length / 2)))
  return cut(response)
}

/** Words for texts. Calls begin one after the other; their arguments then come in turns, as real models send them. */
function piecesOf(reply: Reply): readonly object[] {
  if (reply.kind === 'text') return (reply.text.match(/\s*\S+\s*/g) ?? []).map((content) => ({ content }))
  const begins = reply.calls.map((call, index) => ({ tool_calls: [{ index, ...callOf({ ...call, arguments: '' }) }] }))
  const parts = reply.calls.map((call) => call.arguments.match(/[\s\S]{1,12}/g) ?? [])
  const longest = Math.max(0, ...parts.map(({ length }) => length))
  const turns = Array.from({ length: longest }, (_, turn) =>
    parts.flatMap((own, index) => {
      const text = own[turn]
      return text === undefined ? [] : [{ tool_calls: [{ index, function: { arguments: text } }] }]
    }),
  )
  return [...begins, ...turns.flat()]
}

const callOf = ({
  id,
  name,
  arguments: text,
}: {
  readonly id: string
  readonly name: string
  readonly arguments: string
}): object => ({
  id,
  type: 'function',
  function: { name, arguments: text },
})

function cut(response: ServerResponse): Written {
  response.socket?.destroySoon() // what was written still arrives
  return 'cut'
}

const forEver = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true }))

async function drained(response: ServerResponse, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    response.once('drain', resolve)
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
  })
}
