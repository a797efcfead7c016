// Validates manifests by the schemas of schemas/: generated ones from Knative's CustomResourceDefinitions, own ones where no package
// has the definition. What has no schema is counted, and left to knvalidate.

import { Ajv, type ValidateFunction } from 'ajv'
import { globSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { isObject, type Manifest } from '../../../cli/doctor/manifest.ts'

export const schemaFolder = (root: string): string => join(root, 'test/checks/knative/schemas')

export interface SchemaVerdict {
  readonly validated: number
  readonly withoutSchema: number
  readonly errors: readonly string[]
}

export function validateBySchemas(folder: string, manifests: readonly Manifest[]): SchemaVerdict {
  const validators = validatorsOf(folder)
  const known = manifests.flatMap((manifest) => {
    const validate = validators.get(keyOf(manifest))
    return validate === undefined ? [] : [{ manifest, validate }]
  })
  return {
    validated: known.length,
    withoutSchema: manifests.length - known.length,
    errors: known.flatMap(({ manifest, validate }) => errorsOf(manifest, validate)),
  }
}

const keyOf = ({ apiVersion, kind }: Manifest): string => {
  const [group = '', version = ''] = apiVersion.split('/')
  return `${group}_${kind}_${version}`
}

/** Compiling takes a while. */
const compiled = new Map<string, ReadonlyMap<string, ValidateFunction>>()

function validatorsOf(folder: string): ReadonlyMap<string, ValidateFunction> {
  const known = compiled.get(folder) ?? loadValidators(folder)
  compiled.set(folder, known)
  return known
}

function loadValidators(folder: string): ReadonlyMap<string, ValidateFunction> {
  const ajv = new Ajv({ allErrors: true, strict: false, formats: { int32: true, int64: true, 'date-time': true } })
  const files = globSync('*/*.json', { cwd: folder })
  const read = (file: string): object => JSON.parse(readFileSync(join(folder, file), 'utf8')) as object
  return new Map(files.map((file) => [basename(file, '.json'), ajv.compile(read(file))]))
}

function errorsOf({ file, kind, name, value, place }: Manifest, validate: ValidateFunction): readonly string[] {
  if (validate(value)) return []
  return (validate.errors ?? []).map(({ instancePath, message, params }) => {
    const steps = instancePath
      .split('/')
      .slice(1)
      .map((step) => (/^\d+$/.test(step) ? Number(step) : step))
    const unknown = isObject(params) ? params['additionalProperty'] : undefined
    const { line } = place(typeof unknown === 'string' ? [...steps, unknown] : steps)
    const which = typeof unknown === 'string' ? ` (${unknown})` : ''
    return `${file}:${line} ${kind} ${name}: ${instancePath} ${message ?? ''}${which}`
  })
}
