// Pieces of OpenAPI documents that several routes share.

import { errorCodes, type ErrorCode } from '../../shared/errors/index.ts'

interface ObjectSchema {
  readonly required?: readonly string[]
  readonly properties: Readonly<Record<string, object>>
}

const problem = { $ref: '#/components/schemas/Problem' }

export function parameters(where: 'path' | 'query', { properties, required = [] }: ObjectSchema): readonly object[] {
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    in: where,
    required: required.includes(name),
    schema,
  }))
}

export const json = (schema: object): object => ({ 'application/json': { schema } })

/** Of every route: each asks who calls, and the database. */
const always = [
  'malformed_request',
  'unauthenticated',
  'identity_unavailable',
  'forbidden',
  'tenant_invalid',
  'draining',
  'database_unavailable',
  'database_busy',
  'internal',
  'headers_too_large',
  'uri_too_long',
] as const

/** The good answers, and every error code as a problem document under its status. */
export function answers(ok: Readonly<Record<string, object>>, ...codes: readonly ErrorCode[]): object {
  const byStatus = Object.groupBy([...always, ...codes] as const, (code) => String(errorCodes[code].status))
  const failures = Object.entries(byStatus).map(([status, group = []]) => {
    const description = group.map((code) => `\`${code}\`: ${errorCodes[code].title}`).join('. ')
    return [status, { description, content: { 'application/problem+json': { schema: problem } } }] as const
  })
  return { ...ok, ...Object.fromEntries(failures) }
}
