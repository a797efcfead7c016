// An event type with its compiled schema. The generated list of them is generated/event-types.ts.

export interface EventType<Type extends string = string, Data = unknown> {
  /** With the major version, e.g. `tool.call.requested.v1`. */
  readonly type: Type
  /** Does the data fit the schema? Fast; says nothing about why not. */
  validate(data: unknown): data is Data
  /** Why the data does not fit, for dead letters and problem documents; never repeats a value. Empty when it fits. */
  explain(data: unknown): string
}

/** What ajv's standalone code exports for a schema. */
export interface CompiledSchema {
  (data: unknown): boolean
  errors?: readonly SchemaFault[] | null
}

interface SchemaFault {
  readonly instancePath: string
  readonly message?: string
}

export function createEventType<Type extends string, Data>(type: Type, schema: CompiledSchema): EventType<Type, Data> {
  return {
    type,
    validate: (data): data is Data => schema(data),
    explain: (data) => (schema(data) ? '' : (schema.errors ?? []).map(describe).join('; ')),
  }
}

// A path may hold keys that the sender chose (a metadata map): only plain short ones are repeated, so that no log line and
// no answer carries the input (OWASP ASVS V16.5.1).
function describe({ instancePath, message = 'does not fit' }: SchemaFault): string {
  const path = instancePath
    .split('/')
    .slice(1, 9)
    .map((part) => (/^[a-z0-9_]{1,32}$/i.test(part) ? part : '*'))
  return `${path.length === 0 ? 'the data' : path.join('.')} ${message}`
}
