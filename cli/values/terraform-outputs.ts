// What `terraform output -json` prints in infra/terraform/environments, read and judged, so that whatever is missing, has another
// name or another type is named before the chart sees it.

import { Ajv, type ErrorObject } from 'ajv'
import { SluiceError } from '../../shared/errors/index.ts'

export interface TerraformOutputs {
  readonly region: string
  readonly postgres: { readonly host: string; readonly port: number; readonly database: string }
  readonly redis: { readonly host: string; readonly port: number }
  readonly kafka: { readonly bootstrap_servers: string }
  /** Names by what they hold. */
  readonly buckets: Readonly<Record<string, string>>
  readonly secrets: Readonly<Record<'postgres' | 'redis' | 'kafka' | 'model' | 'memory', string>>
  /** By ServiceAccount. */
  readonly functions: Readonly<Record<string, Access>>
}

export interface Access {
  readonly role_arn: string
  readonly security_group_ids: readonly string[]
}

const text = { type: 'string', minLength: 1 }
const host = { type: 'string', pattern: '^[^\\s:/]+$' }
const port = { type: 'integer', minimum: 1, maximum: 65_535 }
const object = (properties: Readonly<Record<string, object>>): object => ({
  type: 'object',
  required: Object.keys(properties),
  properties,
})
const mapOf = (additionalProperties: object): object => ({ type: 'object', additionalProperties })

const schema = object({
  region: text,
  postgres: object({ host, port, database: text }),
  redis: object({ host, port }),
  kafka: object({ bootstrap_servers: { type: 'string', pattern: '^[^,\\s:]+:\\d+(,[^,\\s:]+:\\d+)*$' } }),
  buckets: mapOf(text),
  secrets: object({ postgres: text, redis: text, kafka: text, model: text, memory: text }),
  functions: mapOf(
    object({
      role_arn: { type: 'string', pattern: '^arn:[a-z-]+:iam::\\d{12}:role/' },
      security_group_ids: { type: 'array', minItems: 1, items: { type: 'string', pattern: '^sg-' } },
    }),
  ),
})

const isOutputs = new Ajv({ allErrors: true }).compile<TerraformOutputs>(schema)

/** @throws SluiceError `invalid_option`, naming each output that is not as it should be. */
export function readTerraformOutputs(json: string): TerraformOutputs {
  const outputs = valuesIn(json)
  if (isOutputs(outputs)) return outputs
  const faults = (isOutputs.errors ?? []).map((error) => faultOf(error))
  throw new SluiceError('invalid_option', faults.join('; '))
}

function valuesIn(json: string): object {
  const parsed = parsedOrUndefined(json)
  if (typeof parsed !== 'object' || parsed === null)
    throw new SluiceError('invalid_option', 'the input is not what `terraform output -json` prints')
  const outputs = Object.entries(parsed as Readonly<Record<string, { readonly value?: unknown } | null>>)
  if (outputs.length === 0)
    throw new SluiceError('invalid_option', 'there are no outputs: `terraform apply` comes first')
  return Object.fromEntries(outputs.map(([name, output]) => [name, output?.value]))
}

function parsedOrUndefined(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}

function faultOf({ instancePath, keyword, message = '', params }: ErrorObject): string {
  const path = instancePath.slice(1).replaceAll('/', '.')
  if (keyword !== 'required') return `output ${path} ${message}`
  const missing = String((params as { readonly missingProperty: unknown }).missingProperty)
  return `output ${path === '' ? missing : `${path}.${missing}`} is missing`
}
