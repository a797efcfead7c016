// Paths that belong to Knative.

import { posix } from 'node:path'
import { listAt, textAt } from '../manifest.ts'
import { serving } from '../references.ts'
import type { Rule } from '../rule.ts'
import { containersOf, isService } from '../service.ts'

const reserved = ['/', '/dev', '/dev/log']

export const reservedMountPath: Rule = {
  id: 'reserved-mount-path',
  summary: 'A volume at a path that Knative keeps, or at a relative one.',
  references: [serving('pkg/apis/serving/k8s_validation.go')],
  on: isService,
  *check(service) {
    for (const { path, value } of containersOf(service)) {
      for (const [at, mount] of listAt(value, ['volumeMounts']).entries()) {
        const given = textAt(mount, ['mountPath'])
        if (given === undefined) continue
        const clean = given === '/' ? given : posix.normalize(given).replace(/\/$/, '')
        if (clean.startsWith('/') && !reserved.includes(clean)) continue
        yield {
          level: 'error',
          path: [...path, 'volumeMounts', at, 'mountPath'],
          message: clean.startsWith('/')
            ? `${given} is one of the paths that are refused (${reserved.join(', ')})`
            : `${given} is not absolute`,
          remedy: 'a folder of its own, such as /var/run/secrets/app',
        }
      }
    }
  },
}
