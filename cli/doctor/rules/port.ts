// The one port of a Service.

import { knativeLimits } from '../../knative/knative-limits.ts'
import { listAt, numberAt, textAt } from '../manifest.ts'
import { knativeDocs, serving } from '../references.ts'
import type { Rule } from '../rule.ts'
import { containersOf, isService } from '../service.ts'

const names = ['', 'http1', 'h2c']

export const reservedPort: Rule = {
  id: 'reserved-port',
  summary: 'A port that queue-proxy uses in the network of the same pod.',
  references: [serving('pkg/apis/serving/k8s_validation.go'), serving('pkg/networking/constants.go')],
  on: isService,
  *check(service) {
    for (const { path, value } of containersOf(service)) {
      for (const [at, port] of listAt(value, ['ports']).entries()) {
        const number = numberAt(port, ['containerPort'])
        if (number === undefined || !isReserved(number)) continue
        yield {
          level: 'error',
          path: [...path, 'ports', at, 'containerPort'],
          message: `${number} is a port of queue-proxy (${knativeLimits.reservedPorts.join(', ')})`,
          remedy: '8080, which the function finds in PORT',
        }
      }
    }
  },
}

const isReserved = (port: number): boolean => knativeLimits.reservedPorts.some((reserved) => reserved === port)

export const severalPorts: Rule = {
  id: 'several-ports',
  summary: 'A Service has exactly one port, over all its containers.',
  references: [serving('pkg/apis/serving/k8s_validation.go'), knativeDocs('serving/services/creating-services')],
  on: isService,
  *check(service) {
    const ports = containersOf(service).flatMap(({ path, value }) =>
      listAt(value, ['ports']).map((port, at) => ({ path: [...path, 'ports', at], port })),
    )
    for (const { path, port } of ports.slice(1)) {
      yield {
        level: 'error',
        path,
        message: `${numberAt(port, ['containerPort']) ?? 'this'} is the second of ${ports.length} ports: the webhook allows one`,
        remedy:
          'open it in the process without declaring it, off the reserved numbers; a PodMonitor finds a metrics port by number',
      }
    }
  },
}

export const portName: Rule = {
  id: 'port-name',
  summary: 'The name of a port chooses its protocol: http1 or h2c, nothing else.',
  references: [serving('pkg/apis/serving/k8s_validation.go')],
  on: isService,
  *check(service) {
    for (const { path, value } of containersOf(service)) {
      for (const [at, port] of listAt(value, ['ports']).entries()) {
        const name = textAt(port, ['name']) ?? ''
        if (names.includes(name)) continue
        yield {
          level: 'error',
          path: [...path, 'ports', at, 'name'],
          message: `a port named ${name} is refused`,
          remedy: 'http1, h2c, or no name',
        }
      }
    }
  },
}
