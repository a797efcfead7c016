// Plays one request: as the script's rule says, else as the mind thinks.

import { createHash } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import type { Clock } from '../../shared/time/index.ts'
import type { ChatRequest } from './chat-request.ts'
import type { LedgerEntry } from './ledger.ts'
import { think, type Reply } from './mind/index.ts'
import { sendError } from './respond.ts'
import type { ThenAction } from './script.ts'
import { sendAnswer, streamAnswer, type AnswerFrame, type Pace } from './write-answer.ts'

/** Estimated tokens of a request above which it is refused as too long. */
const contextTokens = 128_000

export interface Scene {
  readonly request: ChatRequest
  readonly response: ServerResponse
  /** Keeps the ids of one turn apart from another's. */
  readonly salt: string
  /** Of the rule that fits; empty when none does. */
  readonly action: ThenAction
}

export interface PerformDeps {
  readonly clock: Clock
  /** Aborts when the client is gone. */
  readonly signal: AbortSignal
  /** Pause before each piece of an answer. */
  readonly delayMs: number
}

export async function perform(
  { request, response, salt, action }: Scene,
  deps: PerformDeps,
): Promise<LedgerEntry['outcome']> {
  const { clock, signal } = deps
  await clock.sleep(action.delay_ms ?? 0, signal)
  if (action.hang === true) await clock.sleep(2 ** 31 - 1, signal)
  if (action.status !== undefined) {
    refuse(response, { ...action, status: action.status })
    return 'refused'
  }
  if (action.garbage !== undefined) {
    sendGarbage(response, action.garbage)
    return 'garbled'
  }
  const promptTokens = tokensOf(JSON.stringify(request.messages))
  if (promptTokens > contextTokens) {
    const message = `This model's maximum context length is ${contextTokens} tokens. However, your messages resulted in ${promptTokens} tokens.`
    sendError(response, { status: 400, message, code: 'context_length_exceeded' })
    return 'refused'
  }
  const seed = createHash('sha256').update(salt).update(JSON.stringify(request.messages)).digest('hex')
  const reply = scripted(action, seed) ?? think(request, seed)
  const completionTokens = tokensOf(reply.kind === 'text' ? reply.text : JSON.stringify(reply.calls))
  const usage = {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
  }
  const finishReason = action.finish_reason ?? (reply.kind === 'text' ? 'stop' : 'tool_calls')
  const frame: AnswerFrame = {
    id: `chatcmpl-${seed.slice(0, 24)}`,
    model: request.model,
    created: Math.floor(clock.now() / 1_000),
    usage,
    finishReason,
  }
  const pace: Pace = {
    delayMs: action.token_delay_ms ?? deps.delayMs,
    cutAfter: action.cut_after,
    hangAfter: action.hang_after,
  }
  const { stream, includeUsage } = request
  return stream
    ? streamAnswer(response, { reply, frame, pace, includeUsage }, deps)
    : sendAnswer(response, { reply, frame, pace }, deps)
}

function scripted({ text, tool_calls: calls }: ThenAction, seed: string): Reply | undefined {
  if (calls !== undefined) {
    const written = calls.map(({ id, name, arguments: given = {} }, index) => ({
      id: id ?? `call_${seed.slice(0, 20)}_${index}`,
      name,
      arguments: typeof given === 'string' ? given : JSON.stringify(given),
    }))
    return { kind: 'calls', calls: written }
  }
  return text === undefined ? undefined : { kind: 'text', text }
}

function refuse(
  response: ServerResponse,
  { status, headers = {}, body }: ThenAction & { readonly status: number },
): void {
  const given = body ?? { error: { message: `Rehearsed status ${status}`, type: 'rehearsal', code: null } }
  const text = typeof given === 'string' ? given : JSON.stringify(given)
  const contentType = typeof given === 'string' ? 'text/plain' : 'application/json'
  response.writeHead(status, { 'content-type': contentType, ...headers }).end(text)
}

function sendGarbage(response: ServerResponse, kind: NonNullable<ThenAction['garbage']>): void {
  if (kind === 'html')
    return void response
      .writeHead(200, { 'content-type': 'text/html' })
      .end('<html>Please log in to the network</html>')
  if (kind === 'json')
    return void response.writeHead(200, { 'content-type': 'application/json' }).end('{"choices":[{"mess')
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  const hello = 'data: {"choices":[{"index":0,"delta":{"role":"assistant","content":"So"},"finish_reason":null}]}\n\n'
  response.end(
    kind === 'chunk'
      ? `${hello}data: {"choices":[{"inde\n\n`
      : Buffer.from([0x64, 0x61, 0x74, 0x61, 0x3a, 0xff, 0xfe, 0x00, 0x0a, 0x0a]),
  )
}

/** About four characters a token. */
const tokensOf = (text: string): number => Math.ceil(text.length / 4)
