// Probes that are not run as they are written.

import { listAt, numberAt, objectAt, textAt, valueAt } from '../manifest.ts'
import { fact, serving } from '../references.ts'
import type { Rule } from '../rule.ts'
import { clusterSetting, containersOf, isService } from '../service.ts'

const handlers = ['httpGet', 'tcpSocket', 'grpc'] as const

export const probePort: Rule = {
  id: 'probe-port',
  summary: 'The port of a probe is not the one that is asked.',
  references: [serving('pkg/reconciler/revision/resources/deploy.go'), serving('pkg/apis/serving/k8s_validation.go')],
  on: isService,
  *check(service, all) {
    const keepsPorts = clusterSetting(all, 'config-features', 'multi-container-probing')?.toLowerCase() === 'enabled'
    for (const { path, value } of containersOf(service)) {
      const [port] = listAt(value, ['ports'])
      const traffic = numberAt(port, ['containerPort']) ?? 8080
      const name = textAt(port, ['name']) ?? ''
      for (const probe of ['livenessProbe', 'readinessProbe'] as const) {
        for (const handler of handlers) {
          const asked = valueAt(value, [probe, handler, 'port'])
          const at = [...path, probe, handler, 'port']
          if (typeof asked === 'string' && asked !== name)
            yield {
              level: 'error',
              path: at,
              message: `the ${probe} names port ${asked}, and the container's port is called ${name === '' ? 'nothing' : name}: refused`,
              remedy: 'a number, or no port at all: the traffic port is meant then',
            }
          else if (
            probe === 'livenessProbe' &&
            typeof asked === 'number' &&
            asked !== 0 &&
            asked !== traffic &&
            !keepsPorts
          )
            yield {
              level: 'error',
              path: at,
              message: `the livenessProbe asks port ${asked}, which is rewritten to the traffic port ${traffic}: a 404 there restarts the pod over and over`,
              remedy: `answer it on ${traffic}, or enable multi-container-probing in config-features (Serving 1.22 and later)`,
            }
        }
      }
    }
  },
}

export const probePeriod: Rule = {
  id: 'probe-period',
  summary: 'A readiness probe without a period is asked every 50 ms, and takes no threshold or time limit.',
  references: [fact(22), serving('pkg/apis/serving/k8s_validation.go')],
  on: isService,
  *check(service) {
    for (const { path, value } of containersOf(service)) {
      const probe = objectAt(value, ['readinessProbe'])
      if ((numberAt(probe, ['periodSeconds']) ?? 0) !== 0) continue
      for (const name of ['failureThreshold', 'timeoutSeconds']) {
        const given = numberAt(probe, [name]) ?? 0
        if (given === 0) continue
        yield {
          level: 'error',
          path: [...path, 'readinessProbe', name],
          message: `${name}: ${given} with periodSeconds 0 or unset is refused: queue-proxy polls every 50 ms, 100 ms a try, for 10 s`,
          remedy: `leave ${name} out, or set periodSeconds`,
        }
      }
    }
  },
}
