// The API as an OpenAPI 3.1 document, made from the schemas that validate. schemas/openapi.json is its committed copy; a
// test keeps both equal.

import { healthPaths, healthSchemas } from '../../shared/function/index.ts'
import { deadLetterPaths, deadLetterSchema } from './openapi-dead-letters.ts'
import { lanePaths, laneSchema } from './openapi-lanes.ts'
import { answers, json, parameters } from './openapi-parts.ts'
import { actionBody, eventsQuery, messageBody, sessionParams, sessionsQuery, streamQuery } from './request-schemas.ts'

const accepted = { $ref: '#/components/schemas/Accepted' }
const event = { $ref: '#/components/schemas/SessionEvent' }

const idempotencyKey = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  schema: { type: 'string', minLength: 1, maxLength: 255 },
  description: 'The same key with the same request gives the stored answer for a day; with another request 422.',
}

const lastEventId = {
  name: 'Last-Event-ID',
  in: 'header',
  required: false,
  schema: { type: 'integer', minimum: 0 },
  description: 'Position of the last event seen; the stream goes on after it.',
}

const bodyErrors = ['invalid_json', 'invalid_request', 'body_too_large', 'unsupported_media_type'] as const
const onceErrors = ['idempotency_mismatch', 'idempotency_running', 'invalid_parameter'] as const

export const openApi = {
  openapi: '3.1.0',
  info: {
    title: 'Sluice gateway',
    version: '1',
    description: 'Conversations with an agent: send messages, watch the answer being written, read what happened.',
    license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
  },
  security: [{ token: [] }, {}],
  paths: {
    '/v1/session/message': {
      post: {
        operationId: 'sendMessage',
        summary: 'Send a message',
        description:
          'Answers as soon as the message is stored. The turn that it begins is seen on the stream of the session.',
        parameters: [idempotencyKey],
        requestBody: { required: true, content: json(messageBody) },
        responses: answers(
          { 202: { description: 'The message is stored', content: json(accepted) } },
          ...bodyErrors,
          ...onceErrors,
          'not_found',
          'turn_running',
        ),
      },
    },
    '/v1/session/action': {
      post: {
        operationId: 'requestAction',
        summary: 'Ask for an action',
        parameters: [idempotencyKey],
        requestBody: { required: true, content: json(actionBody) },
        responses: answers(
          { 202: { description: 'The action is stored', content: json(accepted) } },
          ...bodyErrors,
          ...onceErrors,
          'not_found',
          'conflict',
        ),
      },
    },
    '/v1/session/{session_id}/events': {
      get: {
        operationId: 'streamEvents',
        summary: 'Watch a session',
        description:
          'Server-sent events. Durable events carry `id:`, their position in the session, and the type as `event:`. Between them ' +
          '`event: delta` carries pieces of the answer being written, without an id: {turn_id, round, attempt, index, text}; a higher ' +
          'attempt replaces the text of the round, a higher round follows it. Comments are heartbeats. Every end says when to come back (`retry:`). ' +
          'A stream ends with the token that opened it.',
        parameters: [...parameters('path', sessionParams), ...parameters('query', streamQuery), lastEventId],
        responses: answers(
          { 200: { description: 'The stream', content: { 'text/event-stream': { schema: { type: 'string' } } } } },
          'invalid_parameter',
          'not_found',
          'gone',
          'too_many_streams',
        ),
      },
    },
    '/v1/sessions': {
      get: {
        operationId: 'listSessions',
        summary: 'List sessions, the latest first',
        parameters: parameters('query', sessionsQuery),
        responses: answers(
          {
            200: {
              description: 'A page',
              content: json({
                type: 'object',
                properties: {
                  sessions: { type: 'array', items: { $ref: '#/components/schemas/Session' } },
                  next_cursor: { type: ['string', 'null'] },
                },
              }),
            },
          },
          'invalid_parameter',
          'invalid_request',
        ),
      },
    },
    '/v1/sessions/{session_id}': {
      get: {
        operationId: 'readSession',
        summary: 'Read a session and its last turns',
        parameters: parameters('path', sessionParams),
        responses: answers(
          { 200: { description: 'The session', content: json({ $ref: '#/components/schemas/Session' }) } },
          'not_found',
          'invalid_request',
        ),
      },
    },
    '/v1/sessions/{session_id}/events': {
      get: {
        operationId: 'listEvents',
        summary: 'Read durable events',
        parameters: [...parameters('path', sessionParams), ...parameters('query', eventsQuery)],
        responses: answers(
          {
            200: {
              description: 'Events in order of position',
              content: json({
                type: 'object',
                properties: {
                  session_id: { type: 'string' },
                  events: { type: 'array', items: event },
                  next_after: { type: 'integer' },
                },
              }),
            },
          },
          'not_found',
          'invalid_parameter',
          'invalid_request',
        ),
      },
    },
    ...deadLetterPaths(),
    ...lanePaths,
    ...healthPaths,
  },
  components: {
    securitySchemes: {
      token: {
        type: 'http',
        scheme: 'bearer',
        bearerFormat: 'JWT',
        description:
          'A token of the issuer that the gateway is told of (AUTH_MODE=jwt), with the tenant as a claim; the admin routes also want the ' +
          'scope of operators. None on a machine of one’s own (AUTH_MODE=local).',
      },
    },
    schemas: {
      ...healthSchemas,
      DeadLetter: deadLetterSchema,
      Lane: laneSchema,
      Accepted: {
        type: 'object',
        required: ['session_id', 'event_id'],
        properties: { session_id: { type: 'string' }, event_id: { type: 'string' }, turn_id: { type: 'string' } },
      },
      Problem: {
        type: 'object',
        description: 'RFC 9457',
        required: ['type', 'title', 'status', 'code', 'trace_id'],
        properties: {
          type: { type: 'string' },
          title: { type: 'string' },
          status: { type: 'integer' },
          code: { type: 'string' },
          trace_id: { type: 'string' },
        },
      },
      Session: {
        type: 'object',
        required: ['session_id', 'strategy', 'paused', 'last_position', 'created_at', 'updated_at'],
        properties: {
          session_id: { type: 'string' },
          persona_id: { type: ['string', 'null'] },
          strategy: { type: 'string' },
          paused: { type: 'boolean' },
          last_position: { type: 'integer' },
          created_at: { type: 'string', format: 'date-time' },
          updated_at: { type: 'string', format: 'date-time' },
          turns: {
            type: 'array',
            items: {
              type: 'object',
              properties: {
                turn_id: { type: 'string' },
                state: { type: 'string' },
                tool_rounds: { type: 'integer' },
                reason: { type: ['string', 'null'] },
              },
            },
          },
        },
      },
      SessionEvent: {
        type: 'object',
        required: ['position', 'event_id', 'type', 'turn_id', 'at', 'data'],
        properties: {
          position: { type: 'integer' },
          event_id: { type: 'string' },
          type: { type: 'string' },
          turn_id: { type: 'string' },
          at: { type: 'string', format: 'date-time' },
          data: { type: 'object', description: 'As in schemas/events/.' },
        },
      },
    },
  },
}
