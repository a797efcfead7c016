// The contract of what every function says about itself, as OpenAPI 3.1. The three health paths are answered on the serving and
// on the operations port, so the documents of functions with an API of their own include them; `operationsOpenApi` is the whole of
// the operations port. schemas/operations.openapi.json is its committed copy; a test keeps both equal.

const state = { type: 'string', enum: ['up', 'down', 'unknown'] }
const age = { type: 'number', minimum: 0, description: 'Seconds since it was last asked, or since it last changed.' }
const lastError = {
  type: 'string',
  description: 'A code or a few plain words. Never a message, an address or a secret.',
}

const readiness = {
  status: { type: 'string', enum: ['ready', 'not-ready'] },
  phase: { type: 'string', enum: ['starting', 'serving', 'draining'] },
  dependencies: { type: 'object', additionalProperties: { $ref: '#/components/schemas/DependencyHealth' } },
}

export const healthSchemas = {
  Liveness: {
    type: 'object',
    additionalProperties: false,
    required: ['status'],
    properties: {
      status: {
        type: 'string',
        enum: ['alive', 'blocked'],
        description: 'blocked: the event loop was blocked longer than SLUICE_LOOP_BLOCKED_MS, a moment ago.',
      },
    },
  },
  DependencyHealth: {
    type: 'object',
    additionalProperties: false,
    required: ['needed', 'status'],
    properties: {
      needed: { type: 'boolean', description: 'Is the function ready only while this answers?' },
      status: state,
      age_seconds: age,
      last_error: { ...lastError, description: `Also when it answers again. ${lastError.description}` },
      last_error_age_seconds: age,
    },
  },
  ComponentHealth: {
    type: 'object',
    additionalProperties: false,
    required: ['status'],
    properties: { status: state, age_seconds: age, last_error: lastError },
  },
  Readiness: {
    type: 'object',
    additionalProperties: false,
    required: Object.keys(readiness),
    properties: readiness,
  },
  Health: {
    type: 'object',
    additionalProperties: false,
    required: [...Object.keys(readiness), 'components'],
    properties: {
      ...readiness,
      components: { type: 'object', additionalProperties: { $ref: '#/components/schemas/ComponentHealth' } },
    },
  },
} as const

const answer = (description: string, schema: keyof typeof healthSchemas): object => ({
  description,
  content: { 'application/json': { schema: { $ref: `#/components/schemas/${schema}` } } },
})

const get = (operationId: string, summary: string, responses: object): object => ({
  get: { operationId, summary, responses },
})

export const healthPaths = {
  '/live': get('isAlive', 'Does the event loop turn? Asks no dependency', {
    200: answer('It does', 'Liveness'),
    503: answer('It was blocked for too long, a moment ago', 'Liveness'),
  }),
  '/ready': get('isReady', 'Should it be given work? Answered from background probes at once', {
    200: answer('It serves, and everything it needs answers', 'Readiness'),
    503: answer('It starts, drains, or lacks something', 'Readiness'),
  }),
  '/health': get('readHealth', 'The same with every component of the process', {
    200: answer('Ready', 'Health'),
    503: answer('Not ready', 'Health'),
  }),
} as const

export const operationsOpenApi = {
  openapi: '3.1.0',
  info: {
    title: 'Sluice operations port',
    version: '1',
    description: 'What every function says about itself to the platform that runs it. Never reachable for callers.',
    license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
  },
  paths: {
    ...healthPaths,
    '/openapi.json': get('readContract', 'This document', {
      200: { description: 'OpenAPI 3.1', content: { 'application/json': { schema: { type: 'object' } } } },
    }),
    '/metrics': get('readMetrics', 'Metrics for Prometheus', {
      200: {
        description: 'In the text format, or OpenMetrics where it is asked for',
        content: {
          'text/plain': { schema: { type: 'string' } },
          'application/openmetrics-text': { schema: { type: 'string' } },
        },
      },
    }),
  },
  components: { schemas: healthSchemas },
} as const
