// Variables that belong to Knative.

import { knativeLimits } from '../../knative/knative-limits.ts'
import { serving } from '../references.ts'
import type { Rule } from '../rule.ts'
import { containersOf, isService, variablesOf } from '../service.ts'

export const reservedVariable: Rule = {
  id: 'reserved-variable',
  summary: 'An environment variable that Knative sets itself.',
  references: [serving('pkg/apis/serving/k8s_validation.go')],
  on: isService,
  *check(service) {
    for (const variable of containersOf(service).flatMap(variablesOf)) {
      if (!knativeLimits.reservedVariables.some((reserved) => reserved === variable.name)) continue
      yield {
        level: 'error',
        path: [...variable.path, 'name'],
        message: `${variable.name} is set by Knative (${knativeLimits.reservedVariables.join(', ')}); a Service that sets it is refused`,
        remedy: variable.name === 'PORT' ? 'ports[0].containerPort; the process finds it in PORT' : 'leave it out',
      }
    }
  },
}
