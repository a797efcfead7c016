// What both HTTP clients do with answers: headers as one text per name, bodies read up to a limit.

import { SluiceError } from '../../errors/index.ts'

/** Lower-case names; repeated fields are joined by commas. */
export type ResponseHeaders = Readonly<Record<string, string | undefined>>

export function flatHeaders(
  headers: Readonly<Record<string, string | readonly string[] | undefined>>,
): ResponseHeaders {
  const flat = Object.entries(headers).map(([name, value]) => [
    name,
    typeof value === 'string' ? value : value?.join(', '),
  ])
  return Object.freeze(Object.assign(Object.create(null) as Record<string, string>, Object.fromEntries(flat)))
}

/** @throws SluiceError `response_too_large`, having read no more than one chunk beyond `limitBytes`. */
export async function collectBody(
  body: AsyncIterable<Uint8Array>,
  limitBytes: number,
  dependency: string,
): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of body) {
    length += chunk.byteLength
    if (length > limitBytes)
      throw new SluiceError('response_too_large', `${dependency}: the answer is over ${limitBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks, length)
}
