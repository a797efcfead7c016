// The admin routes of dead letters in the OpenAPI document.

import { deadLetterParams, deadLettersQuery, discardBody, planQuery, reasonBody, replayBody } from './admin-schemas.ts'
import { answers, json, parameters } from './openapi-parts.ts'

export const deadLetterSchema = {
  type: 'object',
  description: 'One alone also shows its event, the bytes as received in raw_base64, its journal and its ledger entry.',
  required: ['dead_letter_id', 'function', 'state', 'at', 'cause', 'message', 'fingerprint', 'attempts'],
  properties: {
    dead_letter_id: { type: 'string', format: 'uuid' },
    function: { type: 'string' },
    state: { type: 'string', enum: ['dead', 'replayed', 'discarded'] },
    at: { type: 'string', format: 'date-time' },
    cause: { type: 'string', description: 'An error code.' },
    message: { type: 'string' },
    fingerprint: { type: 'string' },
    attempts: { type: 'integer' },
    type: { type: ['string', 'null'] },
    key: { type: ['string', 'null'] },
  },
}

export function deadLetterPaths(): Readonly<Record<string, object>> {
  const path = '/v1/admin/dead-letters'
  const one = `${path}/{dead_letter_id}`
  const ofOne = parameters('path', deadLetterParams)
  const deadLetter = { $ref: '#/components/schemas/DeadLetter' }
  const ok = (description: string, schema: object = { type: 'object' }): Readonly<Record<string, object>> => ({
    200: { description, content: json(schema) },
  })
  const refused = ['invalid_request'] as const
  const body = (schema: object): object => ({ required: true, content: json(schema) })
  const get = (operationId: string, summary: string, more: object): object => ({
    get: { operationId, summary, ...more },
  })
  const post = (operationId: string, summary: string, more: object): object => ({
    post: { operationId, summary, ...more },
  })
  return {
    [path]: get('listDeadLetters', 'List dead letters, the newest first', {
      parameters: parameters('query', deadLettersQuery),
      responses: answers(
        ok('A page', {
          type: 'object',
          properties: {
            dead_letters: { type: 'array', items: deadLetter },
            next_cursor: { type: ['string', 'null'] },
          },
        }),
        ...refused,
        'invalid_parameter',
      ),
    }),
    [`${path}/plan`]: get('planReplay', 'See what a replay would do, by kind of failure', {
      parameters: parameters('query', planQuery),
      responses: answers(ok('Groups of one function and fingerprint'), ...refused, 'invalid_parameter'),
    }),
    [`${path}/replay`]: post('replayDeadLetters', 'Put dead letters back at the ends of their lanes', {
      description:
        'The first of a kind is watched until it is done, the rest follow at a rate; a kind stops when its old failure returns. ' +
        'The ledger keeps anything from being replayed twice. Answers when the patience ends, at the latest.',
      requestBody: body(replayBody),
      responses: answers(ok('What was moved, refused and left, and what became of it'), ...refused, 'invalid_json'),
    }),
    [`${path}/discard`]: post('discardDeadLetters', 'Give dead letters up', {
      requestBody: body(discardBody),
      responses: answers(ok('How many, and which not'), ...refused, 'invalid_json'),
    }),
    [one]: get('readDeadLetter', 'Read a dead letter', {
      parameters: ofOne,
      responses: answers(ok('All that is known about it', deadLetter), ...refused, 'not_found'),
    }),
    [`${one}/dry-run`]: post('runDeadLetterDry', 'Run its handler without keeping anything', {
      parameters: ofOne,
      responses: answers(
        ok('What it would emit, which steps it would take, and how it would fail'),
        ...refused,
        'not_found',
        'conflict',
        'dependency_failed',
        'dependency_timeout',
      ),
    }),
    [`${one}/replay`]: post('replayDeadLetter', 'Put it back at the end of its lane', {
      parameters: ofOne,
      requestBody: body(reasonBody),
      responses: answers(ok('What became of it'), ...refused, 'invalid_json', 'not_found', 'conflict'),
    }),
    [`${one}/discard`]: post('discardDeadLetter', 'Give it up', {
      parameters: ofOne,
      requestBody: body(reasonBody),
      responses: answers(ok('It is discarded'), ...refused, 'invalid_json', 'not_found', 'conflict'),
    }),
  }
}
