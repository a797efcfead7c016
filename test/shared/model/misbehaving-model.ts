// A real HTTP server that answers as the test says, and pieces of the protocol to say it with.

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { TestContext } from 'node:test'
import type { TextDelta } from '../../../shared/model/answer-builder.ts'
import { createModelClient, type ModelClientOptions } from '../../../shared/model/model-client.ts'
import type { ModelRequest } from '../../../shared/model/index.ts'
import { createInstruments, createLogger } from '../../../shared/telemetry/index.ts'
import { systemClock } from '../../../shared/time/index.ts'
import { atEnd, startLoopbackServer } from '../../support/index.ts'

export type Behaviour = (response: ServerResponse, request: IncomingMessage, body: string) => void

const question: ModelRequest = { model: 'm', messages: [{ role: 'user', content: 'hello' }] }

const generous = { connectMs: 2_000, firstTokenMs: 5_000, idleMs: 5_000, totalMs: 10_000 }

/** A client of a server that behaves so. */
export async function startModel(
  t: TestContext,
  behave: Behaviour,
  options: Omit<Partial<ModelClientOptions>, 'timeouts'> & {
    readonly timeouts?: Partial<ModelClientOptions['timeouts']>
  } = {},
) {
  const bodies: string[] = []
  const server = await startLoopbackServer(t, (request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString()
      bodies.push(body)
      behave(response, request, body)
    })
  })
  const instruments = createInstruments({ function: 'test' })
  const lines: string[] = []
  const log = createLogger({ function: 'test', level: 'debug' }, { write: (line: string) => void lines.push(line) })
  const client = createModelClient(
    { baseUrl: `${server.url}/v1`, ...options, timeouts: { ...generous, ...options.timeouts } },
    { clock: systemClock, log, instruments, random: Math.random },
  )
  atEnd(t, () => client.stop())
  const deltas: TextDelta[] = []
  const ask = (request: Partial<ModelRequest> = {}, signal: AbortSignal = new AbortController().signal) =>
    client.complete({ ...question, ...request }, { signal, onDelta: (delta) => deltas.push(delta) })
  return { ask, client, deltas, bodies, server, instruments, lines }
}

export const stream = (response: ServerResponse): ServerResponse =>
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' })

export const sse = (object: unknown): string =>
  `data: ${typeof object === 'string' ? object : JSON.stringify(object)}\n\n`

export const chunk = (delta: object, finish: string | null = null): string =>
  sse({ id: 'c', object: 'chat.completion.chunk', model: 'm-1', choices: [{ index: 0, delta, finish_reason: finish }] })

export const hello = chunk({ role: 'assistant', content: '' })
export const text = (content: string): string => chunk({ content })
export const stop = chunk({}, 'stop')
export const usage = sse({
  model: 'm-1',
  choices: [],
  usage: { prompt_tokens: 12, completion_tokens: 5, total_tokens: 17 },
})
export const done = sse('[DONE]')

/** Pieces of tool calls, as they come in one chunk. */
export const calls = (...parts: object[]): string => chunk({ tool_calls: parts })
