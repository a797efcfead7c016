// What a refusal of the model means. Servers agree on status codes more or less, on bodies hardly; so the status decides
// first, then the code or type in the body, and its prose only for the one case that has no status of its own: a
// conversation that is too long. The prose itself is not handed on: it may repeat the input or part of a key.

import { SluiceError, type ErrorCode } from '../errors/index.ts'
import { parseRetryAfter, type ResponseHeaders } from '../resilience/index.ts'

export interface Refusal {
  /** `undefined` when the error came inside a stream that had begun with 200. */
  readonly status?: number
  readonly headers?: ResponseHeaders
  /** The `error` member of the body, or the text of a body that is not JSON. */
  readonly error: unknown
}

export function refusalError({ status, headers = {}, error }: Refusal, now: number): SluiceError {
  const said = readError(error)
  const code = codeOf(status ?? said.status, said)
  const name = [status, said.code, said.type].filter((part) => part !== undefined && part !== '').join(' ')
  const retryAfterMs = retryAfter(headers, now)
  const details = status === undefined ? {} : { status }
  return new SluiceError(code, `the model answered ${name === '' ? 'with an error' : name}${remedy[code] ?? ''}`, {
    details,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  })
}

interface Said {
  readonly code: string
  readonly type: string
  readonly prose: string
  readonly status: number | undefined
}

function readError(error: unknown): Said {
  const object = typeof error === 'object' && error !== null ? (error as Readonly<Record<string, unknown>>) : {}
  const { code, type, message } = object
  return {
    code: word(code),
    type: word(type),
    prose: (typeof message === 'string' ? message : typeof error === 'string' ? error : '')
      .slice(0, 4_096)
      .toLowerCase(),
    status: typeof code === 'number' && code >= 400 && code <= 599 ? code : undefined,
  }
}

function codeOf(status: number | undefined, said: Said): ErrorCode {
  const { code, type } = said
  if (isTooLong(status, said)) return 'model_context_too_long'
  // The account is empty: waiting does not help, a person must act. It comes as 429 like a limit that passes.
  if (code === 'insufficient_quota' || type === 'insufficient_quota') return 'model_auth'
  if (status !== undefined && byStatus[status] !== undefined) return byStatus[status]
  if (status !== undefined && status < 500) return 'model_bad_request'
  return byName[code] ?? byName[type] ?? 'model_unavailable'
}

const byStatus: Readonly<Record<number, ErrorCode>> = {
  401: 'model_auth',
  403: 'model_auth',
  408: 'model_timeout',
  429: 'model_rate_limited',
  503: 'model_overloaded',
  504: 'model_timeout',
  529: 'model_overloaded',
}

const byName: Readonly<Record<string, ErrorCode>> = {
  rate_limit_exceeded: 'model_rate_limited',
  rate_limit_error: 'model_rate_limited',
  overloaded_error: 'model_overloaded',
  server_overloaded: 'model_overloaded',
  engine_overloaded: 'model_overloaded',
  invalid_request_error: 'model_bad_request',
  authentication_error: 'model_auth',
  invalid_api_key: 'model_auth',
}

const tooLongPhrases = [
  'maximum context length',
  'context length',
  'context window',
  'context size',
  'prompt is too long',
  'input is too long',
  'too many tokens',
  'too many input tokens',
  'maximum number of tokens',
  'reduce the length',
  'token count exceeds',
  'exceeds the maximum number of tokens',
]

function isTooLong(status: number | undefined, { code, type, prose }: Said): boolean {
  const words = [code, type]
  if (words.includes('context_length_exceeded') || words.includes('exceed_context_size_error')) return true
  if (status === 413) return true
  const mayBe = status === undefined || status === 400 || status === 422 || status === 500 // llama.cpp once said 500
  return mayBe && tooLongPhrases.some((phrase) => prose.includes(phrase))
}

const remedy: Readonly<Partial<Record<ErrorCode, string>>> = {
  model_auth: '; check MODEL_API_KEY and the account behind it',
  model_bad_request: '; check MODEL_BASE_URL and MODEL_NAME',
}

/** Some servers say it in milliseconds, with a header of their own. */
function retryAfter(headers: ResponseHeaders, now: number): number | undefined {
  const milliseconds = headers['retry-after-ms']
  if (milliseconds !== undefined && /^\d{1,8}(\.\d{1,6})?$/.test(milliseconds)) return Math.ceil(Number(milliseconds))
  return parseRetryAfter(headers['retry-after'], now)
}

/** A short name such as `rate_limit_exceeded`; anything else is prose and stays out of messages. */
const word = (value: unknown): string => (typeof value === 'string' && /^[\w.-]{1,64}$/.test(value) ? value : '')
