// The forms of admin requests about dead letters, for validation and for openapi.json.

const deadLetterId = {
  type: 'string',
  pattern: '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$',
  description: 'A dead letter.',
} as const

/** Postgres takes no NUL. */
const pattern = '^[^\\u0000]+$'

const filter = {
  function: { type: 'string', maxLength: 50, pattern, description: 'Whose handler failed.' },
  type: { type: 'string', maxLength: 256, pattern, description: 'Type of the event.' },
  fingerprint: { type: 'string', pattern: '^[0-9a-f]{16}$', description: 'Equal for failures of the same kind.' },
  since: { type: 'string', format: 'date-time', description: 'Died then or later.' },
  until: { type: 'string', format: 'date-time', description: 'Died before then.' },
} as const

export const deadLetterParams = {
  type: 'object',
  required: ['dead_letter_id'],
  properties: { dead_letter_id: deadLetterId },
} as const

export const planQuery = { type: 'object', additionalProperties: false, properties: filter } as const

export const deadLettersQuery = {
  type: 'object',
  additionalProperties: false,
  properties: {
    ...filter,
    state: { type: 'string', enum: ['dead', 'replayed', 'discarded'], default: 'dead' },
    limit: { type: 'integer', minimum: 1, maximum: 200, default: 50 },
    cursor: { type: 'string', maxLength: 64, description: 'next_cursor of the page before.' },
  },
} as const

const reason = { type: 'string', minLength: 1, maxLength: 500, description: 'For the ledger.' } as const
const ids = {
  type: 'array',
  items: deadLetterId,
  minItems: 1,
  maxItems: 100,
  description: 'These, instead of all that the filter means.',
} as const
const limit = {
  type: 'integer',
  minimum: 1,
  maximum: 100,
  default: 100,
  description: 'Dead letters of one request; ask again for more.',
} as const

export const replayBody = {
  type: 'object',
  additionalProperties: false,
  required: ['reason'],
  properties: {
    ...filter,
    ids,
    reason,
    limit,
    per_second: { type: 'number', minimum: 1, maximum: 100, default: 10, description: 'After the first of a kind.' },
    patience_ms: {
      type: 'integer',
      minimum: 100,
      maximum: 20_000,
      default: 10_000,
      description: 'How long the first of a kind may take, and the last ones in their lanes.',
    },
  },
} as const

export const discardBody = {
  type: 'object',
  additionalProperties: false,
  required: ['reason'],
  properties: { ...filter, ids, reason, limit },
} as const

/** About one dead letter. */
export const reasonBody = {
  type: 'object',
  additionalProperties: false,
  required: ['reason'],
  properties: { reason },
} as const

export interface FilterFields {
  readonly function?: string
  readonly type?: string
  readonly fingerprint?: string
  readonly since?: string
  readonly until?: string
}

export interface DiscardBody extends FilterFields {
  readonly ids?: readonly string[]
  readonly reason: string
  readonly limit?: number
}

export interface ReplayBody extends DiscardBody {
  readonly per_second?: number
  readonly patience_ms?: number
}
