// The admin routes of lanes in the OpenAPI document.

import { headBody, laneParams, laneQuery, lanesQuery } from './lane-schemas.ts'
import { answers, json, parameters } from './openapi-parts.ts'

const path = '/v1/admin/lanes'
const one = `${path}/{function}/{key}`
const refused = ['invalid_request', 'invalid_parameter'] as const
const lane = { $ref: '#/components/schemas/Lane' }

const decision = (operationId: string, summary: string, description: string): object => ({
  post: {
    operationId,
    summary,
    description,
    parameters: parameters('path', laneParams),
    requestBody: { required: false, content: json(headBody) },
    responses: answers(
      { 200: { description: 'It is done', content: json({ type: 'object' }) } },
      ...refused,
      'invalid_json',
      'not_found',
      'conflict',
    ),
  },
})

export const lanePaths: Readonly<Record<string, object>> = {
  [path]: {
    get: {
      operationId: 'listLanes',
      summary: 'List lanes: keys with events that wait',
      parameters: parameters('query', lanesQuery),
      responses: answers(
        {
          200: {
            description: 'A page, by function and key',
            content: json({
              type: 'object',
              properties: { lanes: { type: 'array', items: lane }, next_cursor: { type: ['string', 'null'] } },
            }),
          },
        },
        ...refused,
      ),
    },
  },
  [one]: {
    get: {
      operationId: 'readLane',
      summary: 'Read a lane and what waits in it',
      parameters: [...parameters('path', laneParams), ...parameters('query', laneQuery)],
      responses: answers({ 200: { description: 'The lane', content: json(lane) } }, ...refused, 'not_found'),
    },
  },
  [`${one}/release`]: decision(
    'releaseLane',
    'Try the head of a lane again',
    'Now, as it is, from attempt 0. Also for a lane that waits for its time. 409 while a run has the lane.',
  ),
  [`${one}/skip`]: decision(
    'skipLane',
    'Go on without the head of a held lane',
    'It becomes a dead letter, with the cause and the fingerprint of its failure. 409 when nothing holds the lane.',
  ),
}

const parkedEvent = {
  type: 'object',
  properties: {
    position: { type: 'integer' },
    source: { type: 'string' },
    id: { type: 'string' },
    type: { type: 'string' },
    attempts: { type: 'integer' },
    cause: { type: ['string', 'null'], description: 'Error code of the last failure.' },
    detail: { type: ['string', 'null'] },
    trace: { type: ['string', 'null'] },
    parked_at: { type: 'string', format: 'date-time' },
  },
}

export const laneSchema = {
  type: 'object',
  required: ['function', 'key', 'state', 'held', 'waits_for', 'due_at', 'events', 'head'],
  properties: {
    function: { type: 'string' },
    key: { type: 'string' },
    tenant: { type: 'string' },
    state: lanesQuery.properties.state,
    held: { type: ['string', 'null'], description: 'Error code of the failure that holds it.' },
    waits_for: { type: ['string', 'null'], description: 'The dependency whose breaker is open.' },
    due_at: { type: 'string', format: 'date-time' },
    events: { type: 'integer' },
    head: parkedEvent,
    parked: { type: 'array', items: parkedEvent, description: 'In one lane alone.' },
  },
}
