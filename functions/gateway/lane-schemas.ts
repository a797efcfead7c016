// The forms of admin requests about lanes, for validation and for openapi.json.

/** Postgres takes no NUL. */
const pattern = '^[^\\u0000]+$'

const functionName = { type: 'string', maxLength: 50, pattern, description: 'Whose lane.' } as const

export const lanesQuery = {
  type: 'object',
  additionalProperties: false,
  properties: {
    function: functionName,
    state: {
      type: 'string',
      enum: ['held', 'running', 'waiting'],
      description: 'held: for a person. waiting: for its time, or for a dependency.',
    },
    limit: { type: 'integer', minimum: 1, maximum: 200, default: 50 },
    cursor: { type: 'string', minLength: 1, maxLength: 2_048, description: 'next_cursor of the page before.' },
  },
} as const

export const laneParams = {
  type: 'object',
  required: ['function', 'key'],
  properties: {
    function: functionName,
    key: {
      type: 'string',
      pattern,
      description: 'Events of one key run one at a time, in order. Percent-encoded where it holds a slash.',
    },
  },
} as const

export const laneQuery = {
  type: 'object',
  additionalProperties: false,
  properties: {
    limit: { type: 'integer', minimum: 1, maximum: 200, default: 50, description: 'Events, from the head on.' },
  },
} as const

export const headBody = {
  type: 'object',
  additionalProperties: false,
  properties: {
    position: {
      type: 'integer',
      minimum: 1,
      maximum: Number.MAX_SAFE_INTEGER,
      description: 'Of the head that was seen: when another event is there by now, nothing happens. Default: any.',
    },
  },
} as const

export interface LanesQuery {
  readonly function?: string
  readonly state?: 'held' | 'running' | 'waiting'
  readonly limit: number
  readonly cursor?: string
}

export interface LaneParams {
  readonly function: string
  readonly key: string
}
