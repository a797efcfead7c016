// Fields of a pod that Knative takes only where the operator has enabled them. That shows in ConfigMap config-features, when it is
// read along, or in the annotation sluice.dev/feature-gates of the Service, by which a chart says what its operator has told it.

import { isObject, listAt, objectAt, valueAt, type JsonObject, type Manifest, type Path } from '../manifest.ts'
import { knativeDocs, serving } from '../references.ts'
import type { Rule } from '../rule.ts'
import { clusterSetting, containersOf, isService, podOf, podPath } from '../service.ts'

const podFields: Readonly<Record<string, string>> = {
  affinity: 'kubernetes.podspec-affinity',
  topologySpreadConstraints: 'kubernetes.podspec-topologyspreadconstraints',
  hostAliases: 'kubernetes.podspec-hostaliases',
  nodeSelector: 'kubernetes.podspec-nodeselector',
  runtimeClassName: 'kubernetes.podspec-runtimeclassname',
  tolerations: 'kubernetes.podspec-tolerations',
  securityContext: 'kubernetes.podspec-securitycontext',
  shareProcessNamespace: 'kubernetes.podspec-shareprocessnamespace',
  priorityClassName: 'kubernetes.podspec-priorityclassname',
  schedulerName: 'kubernetes.podspec-schedulername',
  initContainers: 'kubernetes.podspec-init-containers',
  dnsPolicy: 'kubernetes.podspec-dnspolicy',
  dnsConfig: 'kubernetes.podspec-dnsconfig',
  hostIPC: 'kubernetes.podspec-hostipc',
  hostPID: 'kubernetes.podspec-hostpid',
  hostNetwork: 'kubernetes.podspec-hostnetwork',
}

const volumeKinds: Readonly<Record<string, string>> = {
  hostPath: 'kubernetes.podspec-volumes-hostpath',
  csi: 'kubernetes.podspec-volumes-csi',
  ephemeral: 'kubernetes.podspec-volumes-ephemeral',
  image: 'kubernetes.podspec-volumes-image',
  persistentVolumeClaim: 'kubernetes.podspec-persistent-volume-claim',
}

export const featureGate: Rule = {
  id: 'feature-gate',
  summary: 'A field that Knative refuses until its feature is enabled in config-features.',
  references: [serving('config/core/configmaps/features.yaml'), knativeDocs('serving/configuration/feature-flags')],
  on: isService,
  *check(service, all) {
    for (const { path, flag, what } of gatedFields(service)) {
      if (isEnabled(all, flag) || toldOf(service).includes(flag)) continue
      yield {
        level: 'error',
        path,
        message: `${what} needs ${flag}: enabled; by default it is disabled and the Service is refused`,
        remedy: `enable it in ConfigMap knative-serving/config-features and read that along, or name it in the annotation sluice.dev/feature-gates; or leave ${what} out`,
      }
    }
  },
}

function toldOf({ value }: Manifest): readonly string[] {
  const text = objectAt(value, ['metadata', 'annotations'])['sluice.dev/feature-gates']
  return typeof text === 'string' ? text.split(',').map((flag) => flag.trim()) : []
}

function isEnabled(all: readonly Manifest[], flag: string): boolean {
  const given = clusterSetting(all, 'config-features', flag)?.toLowerCase()
  return given === 'enabled' || given === 'allowed'
}

interface Gated {
  readonly path: Path
  readonly flag: string
  readonly what: string
}

function* gatedFields(service: Manifest): Iterable<Gated> {
  const pod = podOf(service)
  yield* within(pod, podFields, podPath)
  for (const [at, volume] of listAt(pod, ['volumes']).entries())
    if (isObject(volume)) yield* within(volume, volumeKinds, [...podPath, 'volumes', at])
  for (const { path, value } of containersOf(service)) {
    for (const [at, variable] of listAt(value, ['env']).entries())
      for (const kind of ['fieldRef', 'resourceFieldRef'])
        if (valueAt(variable, ['valueFrom', kind]) !== undefined)
          yield { path: [...path, 'env', at, 'valueFrom', kind], flag: 'kubernetes.podspec-fieldref', what: kind }
    if (valueAt(value, ['securityContext', 'capabilities', 'add']) !== undefined)
      yield {
        path: [...path, 'securityContext', 'capabilities', 'add'],
        flag: 'kubernetes.containerspec-addcapabilities',
        what: 'capabilities.add',
      }
  }
}

function* within(value: JsonObject, fields: Readonly<Record<string, string>>, path: Path): Iterable<Gated> {
  for (const [name, flag] of Object.entries(fields))
    if (value[name] !== undefined) yield { path: [...path, name], flag, what: name }
}
