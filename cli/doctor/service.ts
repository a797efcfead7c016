// A Knative Service as the rules see it.

import {
  isObject,
  listAt,
  numberAt,
  objectAt,
  textAt,
  valueAt,
  type JsonObject,
  type Manifest,
  type Path,
} from './manifest.ts'

export const isService = ({ kind, apiVersion }: Manifest): boolean =>
  kind === 'Service' && apiVersion.startsWith('serving.knative.dev/')

export const podPath: Path = ['spec', 'template', 'spec']

export const podOf = ({ value }: Manifest): JsonObject => objectAt(value, podPath)

export interface Container {
  readonly path: Path
  readonly value: JsonObject
}

export const containersOf = (service: Manifest): readonly Container[] =>
  ['containers', 'initContainers'].flatMap((list) =>
    listAt(podOf(service), [list]).flatMap((value, at) =>
      isObject(value) ? [{ path: [...podPath, list, at], value }] : [],
    ),
  )

export interface Variable {
  readonly path: Path
  readonly name: string
  readonly value: string | undefined
}

export const variablesOf = ({ path, value }: Container): readonly Variable[] =>
  listAt(value, ['env']).flatMap((variable, at) => {
    const name = textAt(variable, ['name'])
    return name === undefined ? [] : [{ path: [...path, 'env', at], name, value: textAt(variable, ['value']) }]
  })

/** Knative's defaults filled in: 300 s each, where that is not above timeoutSeconds; and no idle timeout. An explicit 0 is off. */
export function timeoutsOf(service: Manifest): {
  readonly revisionMs: number
  readonly responseStartMs: number
  readonly idleMs: number
} {
  const seconds = (name: string): number | undefined => numberAt(podOf(service), [name])
  const given = seconds('timeoutSeconds') ?? 0
  const revision = given === 0 ? 300 : given
  const responseStart = seconds('responseStartTimeoutSeconds') ?? Math.min(300, revision)
  return {
    revisionMs: revision * 1_000,
    responseStartMs: (responseStart === 0 ? revision : responseStart) * 1_000,
    idleMs: (seconds('idleTimeoutSeconds') ?? 0) * 1_000,
  }
}

/** 0: no limit. */
export const containerConcurrencyOf = (service: Manifest): number =>
  numberAt(podOf(service), ['containerConcurrency']) ?? 0

export const templateAnnotations: Path = ['spec', 'template', 'metadata', 'annotations']

/** 0: no limit. */
export function mostPodsOf({ value }: Manifest): number {
  const annotations = objectAt(value, templateAnnotations)
  const text = annotations['autoscaling.knative.dev/max-scale'] ?? annotations['autoscaling.knative.dev/maxScale']
  return Number(text ?? 0)
}

/** A key of one of Knative's ConfigMaps, where that is among the manifests that were read. */
export const clusterSetting = (all: readonly Manifest[], map: string, key: string): string | undefined =>
  all
    .filter(({ kind, name }) => kind === 'ConfigMap' && name === map)
    .map(({ value }) => valueAt(value, ['data', key]))
    .find((found) => typeof found === 'string')
