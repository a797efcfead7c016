// Fields of pods that are no fields of Services.

import { isObject, type Path } from '../manifest.ts'
import { fact, issue, serving } from '../references.ts'
import type { Rule } from '../rule.ts'
import { containersOf, isService, podOf, podPath } from '../service.ts'

const ofPod = [
  'terminationGracePeriodSeconds',
  'restartPolicy',
  'hostname',
  'nodeName',
  'priority',
  'readinessGates',
  'activeDeadlineSeconds',
  'subdomain',
]
const ofContainer = ['lifecycle', 'stdin', 'stdinOnce', 'tty', 'volumeDevices']

const instead: Readonly<Record<string, string>> = {
  terminationGracePeriodSeconds: 'timeoutSeconds, which is the grace period too',
  lifecycle: 'handle SIGTERM in the process; Knative has a preStop of its own, and no other',
}

export const blockedField: Rule = {
  id: 'blocked-field',
  summary:
    'A field of pods that a Knative Service does not have: strict clients refuse it, others drop it without a word.',
  references: [fact(21), serving('pkg/apis/serving/fieldmask.go'), issue('knative/serving', 11084)],
  on: isService,
  *check(service) {
    const places = [
      { value: podOf(service), path: podPath, names: ofPod },
      ...containersOf(service).map((container) => ({ ...container, names: ofContainer })),
    ]
    for (const { value, path, names } of places)
      for (const name of names) if (isObject(value) && value[name] !== undefined) yield breach([...path, name], name)
  },
}

const breach = (path: Path, name: string) =>
  ({
    level: 'error',
    path,
    message: `${name} is not in the schema of a Service: kubectl refuses it, and a client that does not look has it dropped`,
    remedy: instead[name] ?? 'leave it out',
  }) as const
