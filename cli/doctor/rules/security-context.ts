// What the restricted pod security standard asks of a container, and a read-only root.

import { listAt, objectAt, textAt, valueAt } from '../manifest.ts'
import { knativeDocs, serving } from '../references.ts'
import type { Rule } from '../rule.ts'
import { clusterSetting, containersOf, isService, podOf } from '../service.ts'

export const securityContext: Rule = {
  id: 'security-context',
  summary:
    'A container with insecure defaults: the API server warns, and a namespace of the restricted standard refuses the pod.',
  references: [serving('pkg/apis/serving/k8s_validation.go'), knativeDocs('serving/configuration/feature-flags')],
  on: isService,
  *check(service, all) {
    const byDefault = clusterSetting(all, 'config-features', 'secure-pod-defaults')?.toLowerCase() ?? 'disabled'
    if (byDefault !== 'disabled') return
    const pod = objectAt(podOf(service), ['securityContext'])
    for (const { path, value } of containersOf(service)) {
      const own = objectAt(value, ['securityContext'])
      const drops = listAt(own, ['capabilities', 'drop'])
      const missing = [
        ...(own['allowPrivilegeEscalation'] === false ? [] : ['allowPrivilegeEscalation: false']),
        ...(drops.includes('ALL') ? [] : ['capabilities.drop: [ALL]']),
        ...((own['runAsNonRoot'] ?? pod['runAsNonRoot']) === true ? [] : ['runAsNonRoot: true']),
        ...((textAt(own, ['seccompProfile', 'type']) ?? textAt(pod, ['seccompProfile', 'type'])) === undefined
          ? ['seccompProfile.type: RuntimeDefault']
          : []),
        ...(own['readOnlyRootFilesystem'] === true ? [] : ['readOnlyRootFilesystem: true']),
      ]
      if (missing.length === 0) continue
      yield {
        level: 'warning',
        path: valueAt(value, ['securityContext']) === undefined ? path : [...path, 'securityContext'],
        message: `not set: ${missing.join(', ')}`,
        remedy: 'set them in the securityContext of the container; no feature is needed for that',
      }
    }
  },
}
