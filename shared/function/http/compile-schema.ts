// Schemas of routes, compiled by ajv. Bodies are taken as they are: "12" is no number and an unknown property is an error,
// never dropped in silence (OWASP API3:2023). Text from paths, queries and headers is coerced, once, since it is all text.

import { Ajv } from 'ajv'
import addFormats from 'ajv-formats'
import type { FastifySchema, FastifySchemaCompiler } from 'fastify'

const common = { allErrors: false, strict: true, useDefaults: true, removeAdditional: false } as const
const forBody = addFormats.default(new Ajv({ ...common, coerceTypes: false }))
const forText = addFormats.default(new Ajv({ ...common, coerceTypes: true }))

export const compileSchema: FastifySchemaCompiler<FastifySchema> = ({ schema, httpPart }) =>
  (httpPart === 'body' ? forBody : forText).compile(schema)
