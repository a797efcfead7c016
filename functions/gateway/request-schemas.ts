// The forms of requests, for validation and for openapi.json. Bodies are closed: an unknown property is an error.

export const sessionIdPattern = '^[A-Za-z0-9][A-Za-z0-9._~-]{0,127}$'

const sessionId = { type: 'string', pattern: sessionIdPattern, description: 'The conversation.' } as const
const turnId = { type: 'string', pattern: sessionIdPattern, description: 'A turn of the conversation.' } as const
const strategy = {
  type: 'string',
  enum: ['enqueue', 'interrupt', 'reject'],
  description:
    'What to do when a turn is running: wait for it, stop it, or refuse this message. Default: the session’s.',
} as const

export const messageBody = {
  type: 'object',
  additionalProperties: false,
  required: ['message'],
  properties: {
    session_id: { ...sessionId, description: 'The conversation; a new one begins under this id. Left out: a new id.' },
    message: { type: 'string', minLength: 1, maxLength: 32_768, description: 'What the person wrote.' },
    persona_id: {
      type: 'string',
      pattern: sessionIdPattern,
      description: 'Who answers. Default: the session’s persona.',
    },
    strategy,
    metadata: {
      type: 'object',
      maxProperties: 32,
      propertyNames: { minLength: 1, maxLength: 64 },
      additionalProperties: { type: 'string', maxLength: 1_024 },
      description: 'Your own notes, kept with the message.',
    },
  },
} as const

export const actionBody = {
  type: 'object',
  additionalProperties: false,
  required: ['session_id', 'action'],
  properties: {
    session_id: sessionId,
    action: {
      type: 'string',
      enum: ['summarize', 'next_steps', 'status_report', 'nudge', 'pause', 'resume', 'cancel'],
      description: 'cancel ends a turn; pause lets new turns wait until resume; the others ask the agent for a turn.',
    },
    turn_id: { ...turnId, description: 'For cancel: the turn. Default: the running one, else the next.' },
  },
} as const

export const sessionParams = {
  type: 'object',
  required: ['session_id'],
  properties: { session_id: sessionId },
} as const

export const streamQuery = {
  type: 'object',
  additionalProperties: false,
  properties: {
    after: {
      type: 'integer',
      minimum: 0,
      maximum: Number.MAX_SAFE_INTEGER,
      description: 'Position after which to begin; the header Last-Event-ID comes before it.',
    },
  },
} as const

export const eventsQuery = {
  type: 'object',
  additionalProperties: false,
  properties: {
    ...streamQuery.properties,
    limit: { type: 'integer', minimum: 1, maximum: 500, default: 100 },
  },
} as const

export const sessionsQuery = {
  type: 'object',
  additionalProperties: false,
  properties: {
    limit: { type: 'integer', minimum: 1, maximum: 200, default: 50 },
    cursor: { type: 'string', maxLength: 512, description: 'next_cursor of the page before.' },
  },
} as const

export interface MessageBody {
  readonly session_id?: string
  readonly message: string
  readonly persona_id?: string
  readonly strategy?: 'enqueue' | 'interrupt' | 'reject'
  readonly metadata?: Readonly<Record<string, string>>
}

export interface ActionBody {
  readonly session_id: string
  readonly action: (typeof actionBody)['properties']['action']['enum'][number]
  readonly turn_id?: string
}
