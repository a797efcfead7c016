// The forms of requests. Bodies are closed: an unknown property is an error.

import { memoryLimits } from '../../shared/memory/index.ts'

const { keyLength, contentLength, queryLength, recalled } = memoryLimits

const key = { type: 'string', minLength: 1, maxLength: keyLength, pattern: '^[!-~]+$' } as const
const namespace = { type: 'string', pattern: '^[a-z0-9][a-z0-9._-]{0,62}$' } as const
const sessionId = { type: 'string', minLength: 1, maxLength: 128, pattern: '^[!-~]+$' } as const

export const rememberBody = {
  type: 'object',
  additionalProperties: false,
  required: ['content'],
  properties: {
    key,
    namespace: { ...namespace, default: 'default' },
    session_id: sessionId,
    content: { type: 'string', minLength: 1, maxLength: contentLength },
    language: { type: 'string', pattern: '^[a-z]{2,3}$' },
    metadata: {
      type: 'object',
      maxProperties: 32,
      propertyNames: { minLength: 1, maxLength: 64 },
      additionalProperties: { type: 'string', maxLength: 1_024 },
      default: {},
    },
  },
} as const

export const recallBody = {
  type: 'object',
  additionalProperties: false,
  properties: {
    query: { type: 'string', maxLength: queryLength },
    namespace,
    session_id: sessionId,
    except_session_id: sessionId,
    min_score: { type: 'number', minimum: 0, maximum: 1, default: 0 },
    limit: { type: 'integer', minimum: 1, maximum: recalled, default: 8 },
    after: { type: 'string', maxLength: keyLength + 20, pattern: `^[1-9][0-9]{0,14}@[!-~]{1,${keyLength}}$` },
    wait_ms: { type: 'integer', minimum: 0, maximum: 10_000, default: 2_000 },
  },
} as const

export const keyParams = { type: 'object', required: ['key'], properties: { key } } as const

/** With the defaults that validation has filled in. */
export interface RememberBody {
  readonly key?: string
  readonly namespace: string
  readonly session_id?: string
  readonly content: string
  readonly language?: string
  readonly metadata: Readonly<Record<string, string>>
}

/** With the defaults that validation has filled in. */
export interface RecallBody {
  readonly query?: string
  readonly namespace?: string
  readonly session_id?: string
  readonly except_session_id?: string
  readonly min_score: number
  readonly limit: number
  readonly after?: string
  readonly wait_ms: number
}
