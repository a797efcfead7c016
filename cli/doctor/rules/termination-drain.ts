// From the deletion of a pod to its end: quiet 30 s, SIGTERM, shutdown, SIGKILL.

import { knativeLimits } from '../../knative/knative-limits.ts'
import { showMs } from '../../knative/show-duration.ts'
import { fact, issue, serving } from '../references.ts'
import type { Rule } from '../rule.ts'
import { containersOf, isService, podPath, timeoutsOf, variablesOf } from '../service.ts'

/** What a process may need to end its work, where it does not say so itself. */
const usualShutdownMs = 20_000

export const terminationDrain: Rule = {
  id: 'termination-drain',
  summary:
    'The process is killed before its shutdown can end: SIGKILL comes timeoutSeconds after the pod is deleted, and SIGTERM only after 30 s.',
  references: [
    fact(21),
    serving('pkg/queue/sharedmain/main.go'),
    issue('knative/serving', 13332),
    issue('knative/serving', 13736),
  ],
  on: isService,
  *check(service) {
    const { revisionMs } = timeoutsOf(service)
    const told = containersOf(service)
      .flatMap(variablesOf)
      .find(({ name }) => name === 'SHUTDOWN_TIMEOUT_MS')?.value
    const shutdownMs = told === undefined ? usualShutdownMs : Number(told)
    const neededMs = knativeLimits.drainQuietMs + shutdownMs
    if (!Number.isFinite(shutdownMs) || neededMs < revisionMs) return
    yield {
      level: 'error',
      path: [...podPath, 'timeoutSeconds'],
      message: `drain ${showMs(knativeLimits.drainQuietMs)} + shutdown ${showMs(shutdownMs)} = ${showMs(neededMs)} ≥ ${showMs(revisionMs)}: SIGTERM comes ${showMs(knativeLimits.drainQuietMs)} after the deletion, SIGKILL ${showMs(Math.max(0, revisionMs - knativeLimits.drainQuietMs))} after that`,
      remedy: `timeoutSeconds above ${neededMs / 1_000}: it is the grace period too, and there is no other way to set that`,
    }
  },
}
