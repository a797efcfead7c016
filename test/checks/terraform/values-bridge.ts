// From the outputs of an environment to manifests: values, Helm, doctor. And whatever an output may be wrong in is named.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { diagnose, rules } from '../../../cli/doctor/index.ts'
import { parseManifests } from '../../../cli/doctor/read-manifests.ts'
import { findHelm } from '../../../cli/knative/helm.ts'
import { readTerraformOutputs, valuesFromTerraform } from '../../../cli/values/index.ts'
import { installedFunctions } from '../../../local/platform/index.ts'
import { messageOf } from '../../../shared/errors/index.ts'
import type { Findings } from '../check.ts'
import type { Applied } from './terraform.ts'

export async function judgeBridge(root: string, outputs: Applied['outputs']): Promise<Findings> {
  const functions = (await installedFunctions(root)).map(({ name }) => name)
  const values = valuesFromTerraform(readTerraformOutputs(JSON.stringify(outputs)), functions)
  const manifests = manifestsOf(root, values)
  const { errors, read } = judgeManifests(manifests)
  const withoutRole = functions.filter((name) => !roleOf(manifests, name))
  const planted = plantedIn(outputs)
  const faults = [
    ...errors,
    ...withoutRole.map((name) => `ServiceAccount ${name} has no role`),
    ...planted.flatMap(({ path, outputs: wrong }) => missOf(path, wrong)),
  ]
  return { passed: faults.length === 0, read: read + planted.length, output: faults.join('\n') }
}

const place = { image: { repository: 'registry.example.com/sluice' } }

/** @throws SluiceError `start_failed` with what Helm said. */
export function manifestsOf(root: string, ...values: readonly object[]): string {
  const helm = findHelm(root)
  if (helm === undefined) throw new Error('there is no Helm here')
  const folder = mkdtempSync(join(tmpdir(), 'sluice-values-'))
  try {
    const valuesFile = join(folder, 'values.yaml')
    writeFileSync(valuesFile, stringify(Object.assign({}, place, ...values), { aliasDuplicateObjects: false }))
    return helm.template({ chart: join(root, 'knative'), release: 'sluice', namespace: 'sluice', valuesFile })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

export function judgeManifests(text: string): { readonly errors: readonly string[]; readonly read: number } {
  const { manifests, findings } = parseManifests('rendered.yaml', text)
  const errors = [...findings, ...diagnose(manifests, rules)].filter(({ level }) => level === 'error')
  return { read: manifests.length, errors: errors.map(({ rule, message }) => `doctor: ${rule}: ${message}`) }
}

const roleOf = (manifests: string, name: string): boolean =>
  manifests
    .split(/^---$/m)
    .some(
      (document) =>
        /^kind: ServiceAccount$/m.test(document) &&
        document.includes(`\n  name: ${name}\n`) &&
        document.includes('eks.amazonaws.com/role-arn: arn:'),
    )

interface Planted {
  readonly path: string
  readonly outputs: object
}

const readPaths = `region
postgres.host postgres.port postgres.database
redis.host redis.port
kafka.bootstrap_servers
buckets
secrets.postgres secrets.redis secrets.kafka secrets.model secrets.memory
functions functions.gateway.role_arn functions.gateway.security_group_ids`.split(/\s+/)

/** What is read of the outputs, each gone, under another name, and of another type. */
function plantedIn(outputs: Applied['outputs']): readonly Planted[] {
  return readPaths.flatMap((path) => {
    const [name = '', ...inner] = path.split('.')
    const at = [name, 'value', ...inner]
    const gone = setAt(outputs, at, undefined)
    const renamed = setAt(gone, [...at.slice(0, -1), `${at.at(-1)}_new`], true)
    return [gone, renamed, setAt(outputs, at, true)].map((wrong) => ({ path, outputs: wrong }))
  })
}

function setAt(value: object, [key = '', ...rest]: readonly string[], inner: unknown): object {
  const known = (value as Readonly<Record<string, object>>)[key] ?? {}
  return { ...value, [key]: rest.length === 0 ? inner : setAt(known, rest, inner) }
}

/** Nothing when the fault is named. */
function missOf(path: string, outputs: object): readonly string[] {
  try {
    readTerraformOutputs(JSON.stringify(outputs))
    return [`${path} was wrong, and passed`]
  } catch (error) {
    return messageOf(error).includes(`output ${path} `)
      ? []
      : [`${path} was wrong, and what is said is ${messageOf(error)}`]
  }
}
