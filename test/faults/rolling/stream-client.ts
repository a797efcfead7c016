// A client of a session's stream as a browser is one: it comes back with Last-Event-ID, and counts what should not be.

import { get, type Agent, type ClientRequest, type IncomingMessage } from 'node:http'
import { createParser } from 'eventsource-parser'

export interface StreamClient {
  /** Position of the last durable event. */
  readonly position: () => number
  readonly gaps: () => number
  readonly repeats: () => number
  /** How often it was connected. */
  readonly connects: () => number
  stop(): void
}

const comeBackMs = 300

export function startStreamClient({ url, agent }: { readonly url: string; readonly agent: Agent }): StreamClient {
  let position = 0
  let gaps = 0
  let repeats = 0
  let connects = 0
  let stopped = false
  let request: ClientRequest | undefined
  let timer: NodeJS.Timeout | undefined

  const seen = (id: number): void => {
    if (id > position + 1) gaps += 1
    if (id <= position) repeats += 1
    position = Math.max(position, id)
  }
  const comeBack = (): void => {
    clearTimeout(timer)
    if (!stopped) timer = setTimeout(connect, comeBackMs)
  }
  function connect(): void {
    const parser = createParser({ onEvent: ({ id }) => (id === undefined ? undefined : seen(Number(id))) })
    request = get(url, { agent, headers: { 'last-event-id': String(position) } }, (answer) => {
      if (answer.statusCode === 200) connects += 1
      answer.setEncoding('utf8')
      answer.on('data', (text: string) => {
        if (answer.statusCode === 200) parser.feed(text)
      })
      answer.on('close', comeBack)
      answer.on('error', () => undefined)
    })
    request.on('error', comeBack)
  }
  connect()
  return {
    position: () => position,
    gaps: () => gaps,
    repeats: () => repeats,
    connects: () => connects,
    stop: () => {
      stopped = true
      clearTimeout(timer)
      request?.destroy()
    },
  }
}

/** Opens the stream, takes its head and reads nothing. Resolves with how to leave. */
export function startDeafClient({ url, agent }: { readonly url: string; readonly agent: Agent }): Promise<() => void> {
  return new Promise((resolve, reject) => {
    const request = get(url, { agent }, (answer: IncomingMessage) => {
      answer.on('error', () => undefined)
      if (answer.statusCode === 200) resolve(() => request.destroy())
      else reject(new Error(`a stream was refused with ${String(answer.statusCode)}`))
    })
    request.on('error', reject)
  })
}
