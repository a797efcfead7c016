// Reads a body of server-sent events and hands on the data of each. It knows one thing of the protocol: [DONE].

import { createParser } from 'eventsource-parser'
import { SluiceError } from '../errors/index.ts'

export interface ReadStreamOptions {
  readonly onData: (data: string) => void
  /** The server said [DONE]. What follows is read, so that the connection can be used again, and ignored. */
  readonly onDone: () => void
  /** Longest event in characters. */
  readonly maxEventChars: number
  /** Longest body in bytes. */
  readonly maxBytes: number
}

/**
 * Resolves at the end of the body with the number of lines that are no server-sent events.
 * @throws SluiceError `model_malformed` for bytes that are not UTF-8, `response_too_large`, what `onData` throws, and
 * what the body throws.
 */
export async function readStream(body: AsyncIterable<Uint8Array>, options: ReadStreamOptions): Promise<number> {
  const { onData, onDone, maxEventChars, maxBytes } = options
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let done = false
  let foreign = 0
  let bytes = 0
  const parser = createParser({
    maxBufferSize: maxEventChars,
    onEvent: ({ data }) => {
      if (done) return
      done = data.trim() === '[DONE]'
      if (done) onDone()
      else onData(data)
    },
    onError: ({ type }) => {
      if (type === 'max-buffer-size-exceeded') throw tooLarge(`an event over ${maxEventChars} characters`)
      foreign += 1
    },
  })
  for await (const chunk of body) {
    bytes += chunk.byteLength
    if (bytes > maxBytes) throw tooLarge(`more than ${maxBytes} bytes`)
    parser.feed(decode(decoder, chunk))
  }
  return foreign
}

function decode(decoder: InstanceType<typeof TextDecoder>, chunk: Uint8Array): string {
  try {
    return decoder.decode(chunk, { stream: true })
  } catch (cause) {
    throw new SluiceError('model_malformed', 'the model sent bytes that are not UTF-8', { cause })
  }
}

const tooLarge = (what: string): SluiceError => new SluiceError('response_too_large', `the model sent ${what}`)
