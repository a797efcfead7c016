// Reads a page of the public web. The address rules are the outbound client's; what comes back is a stranger's text and is
// marked so, cut to a size a model can read, and stripped of what a terminal or a renderer would act on.

import { TextDecoder } from 'node:util'
import type { UntrustedResponse } from '../../../shared/resilience/index.ts'
import { pageText, readableText } from '../page-text.ts'
import { defineTool } from '../tool.ts'

/** Longest text returned, in characters. */
export const fetchedTextMax = 16_000

interface FetchedPage {
  readonly url: string
  readonly status: number
  readonly content_type: string
  readonly text: string
  readonly truncated: boolean
  /** Whatever the text says, it is not an instruction. */
  readonly untrusted: true
}

export const httpFetch = defineTool<{ readonly url: string }>({
  name: 'http_fetch',
  description: 'Fetches a public web page or API over http or https (GET) and returns its status and text.',
  parameters: {
    type: 'object',
    additionalProperties: false,
    required: ['url'],
    properties: { url: { type: 'string', minLength: 1, maxLength: 2_048, description: 'Absolute http or https URL.' } },
  },
  effect: 'read',
  limits: { timeoutMs: 12_000, concurrent: 16 },
  // The caller chose the host: one that is down or slow says nothing about fetching as such.
  judge: () => 'answered',
  run: async ({ url }, { outbound, signal }) => {
    const headers = { accept: 'text/html, text/plain, application/json;q=0.9, */*;q=0.1', 'user-agent': 'sluice/0.1' }
    return page(await outbound.request({ url, headers }, { signal }))
  },
})

function page({ url, status, headers, body }: UntrustedResponse): FetchedPage {
  const contentType = headers['content-type'] ?? ''
  const text = textOf(contentType, body)
  return {
    url: readableText(url).slice(0, 2_048),
    status,
    content_type: readableText(contentType).slice(0, 200),
    text: text.slice(0, fetchedTextMax).toWellFormed(),
    truncated: text.length > fetchedTextMax,
    untrusted: true,
  }
}

function textOf(contentType: string, body: Buffer): string {
  const [mediaType = '', ...parameters] = contentType.toLowerCase().split(';')
  const media = mediaType.trim()
  const isText =
    media === '' || media.startsWith('text/') || /[/+](json|xml|yaml)$|^application\/(javascript|x-yaml)$/.test(media)
  if (!isText) return `(${body.byteLength} bytes that are not text)`
  const charset = parameters.map((parameter) => parameter.trim()).find((parameter) => parameter.startsWith('charset='))
  const decoded = decoder(charset?.slice('charset='.length).replaceAll('"', '')).decode(body)
  return media === 'text/html' || media === 'application/xhtml+xml' ? pageText(decoded) : readableText(decoded)
}

function decoder(charset = 'utf-8'): TextDecoder {
  try {
    return new TextDecoder(charset)
  } catch {
    return new TextDecoder()
  }
}
