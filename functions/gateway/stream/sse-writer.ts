// Writes server-sent events to one client and never holds more than `bufferBytes` for it.
// https://html.spec.whatwg.org/multipage/server-sent-events.html
//
// W1  Data is JSON on one `data:` line, so no content can begin another field or event.
// W2  Only durable events carry an `id:`, so that Last-Event-ID names a position and nothing else.
// W3  A client that does not read is cut: at `bufferBytes` waiting, or when it has read nothing for `stallMs`.
// W4  Every end tells when to come back (`retry:`); an end is final. None is later than `longestMs`: whatever stands between
//     would cut the stream some time, without a word.

import type { ServerResponse } from 'node:http'
import type { StreamBudget } from '../../../shared/function/index.ts'
import type { Clock } from '../../../shared/time/index.ts'
import { streamBudget } from '../function.ts'
import type { StreamEnding } from './stream-meter.ts'

export interface SseWriterOptions extends StreamBudget {
  readonly bufferBytes: number
  readonly stallMs: number
  /** When a client whose stream ended comes back, in milliseconds. */
  readonly retryMs: number
}

export const sseDefaults: SseWriterOptions = {
  ...streamBudget,
  bufferBytes: 256 * 1_024,
  stallMs: 30_000,
  retryMs: 1_000,
}

/** After an end, the socket is given this long to take what waits, in milliseconds. */
const lingerMs = 2_000

export interface SseEvent {
  readonly type: string
  readonly data: object
  readonly id?: number
}

export interface SseWriter {
  /** Aborts when the stream has ended, whoever ended it. */
  readonly ended: AbortSignal
  send(event: SseEvent): void
  /** Resolves when the client has taken what was sent, but for a part. Rejects when the stream ends. */
  room(): Promise<void>
  /** Bytes that wait for the client. */
  waiting(): number
  /** The first end counts, and its cause with it. */
  end(cause: StreamEnding): void
}

export interface SseWriterDeps {
  readonly clock: Clock
  /** Called once, whoever ended the stream. */
  readonly onEnd: (cause: StreamEnding) => void
}

export function createSseWriter(
  response: ServerResponse,
  { bufferBytes, stallMs, heartbeatMs, longestMs, retryMs }: SseWriterOptions,
  { clock, onEnd }: SseWriterDeps,
): SseWriter {
  const ended = new AbortController()
  let heartbeat = clock.after(heartbeatMs, beat, { unref: true })

  const longest = clock.after(longestMs, () => end('time-up'), { unref: true })

  const onClose = (): void => finish('left')
  if (response.destroyed) onClose() // the client left while its request was looked at
  else response.once('close', onClose)
  // The head and the hint leave at once, so that a client knows that it is connected.
  write(`retry: ${retryMs}\n\n`)

  function beat(): void {
    write(': alive\n\n')
    if (ended.signal.aborted) return // there was no room for it
    heartbeat = clock.after(heartbeatMs, beat, { unref: true })
  }

  function write(text: string): void {
    if (ended.signal.aborted) return
    if (response.writableLength > bufferBytes) return end('buffer-full')
    response.write(text)
  }

  function end(cause: StreamEnding): void {
    if (ended.signal.aborted) return
    response.end(`retry: ${retryMs}\n\n`)
    const linger = clock.after(lingerMs, () => response.destroy(), { unref: true })
    response.once('close', () => linger.cancel())
    finish(cause)
  }

  function finish(cause: StreamEnding): void {
    if (ended.signal.aborted) return
    heartbeat.cancel()
    longest.cancel()
    onEnd(cause)
    ended.abort()
  }

  async function room(): Promise<void> {
    ended.signal.throwIfAborted()
    if (!response.writableNeedDrain) return
    const leaving = new AbortController()
    const stalled = clock.after(stallMs, () => end('stalled'))
    const { promise, resolve } = Promise.withResolvers<void>()
    response.once('drain', resolve)
    ended.signal.addEventListener('abort', () => resolve(), { once: true, signal: leaving.signal })
    await promise
    leaving.abort() // a stream waits often and lives long: no listener stays behind
    response.off('drain', resolve)
    stalled.cancel()
    ended.signal.throwIfAborted()
  }

  return {
    ended: ended.signal,
    send: ({ type, data, id }) =>
      write(`${id === undefined ? '' : `id: ${id}\n`}event: ${type}\ndata: ${JSON.stringify(data)}\n\n`),
    room,
    waiting: () => response.writableLength,
    end,
  }
}
