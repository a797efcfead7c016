// The three timeouts of a revision.

import { knativeLimits } from '../../knative/knative-limits.ts'
import { showMs } from '../../knative/show-duration.ts'
import { numberAt, type Manifest } from '../manifest.ts'
import { knativeDocs, serving } from '../references.ts'
import type { Rule } from '../rule.ts'
import { clusterSetting, isService, podOf, podPath, timeoutsOf } from '../service.ts'

const mostMs = (all: readonly Manifest[]): number => {
  const given = Number(clusterSetting(all, 'config-defaults', 'max-revision-timeout-seconds') ?? Number.NaN)
  return Number.isFinite(given) ? given * 1_000 : knativeLimits.revisionTimeoutMs
}

export const timeoutBeyondMax: Rule = {
  id: 'timeout-beyond-max',
  summary: 'A revision timeout above the maximum of the cluster is refused.',
  references: [serving('config/core/configmaps/defaults.yaml'), knativeDocs('serving/configuration/config-defaults')],
  on: isService,
  *check(service, all) {
    const { revisionMs } = timeoutsOf(service)
    if (revisionMs <= mostMs(all)) return
    yield {
      level: 'error',
      path: [...podPath, 'timeoutSeconds'],
      message: `timeoutSeconds: ${showMs(revisionMs)} > ${showMs(mostMs(all))}, the max-revision-timeout-seconds of config-defaults`,
      remedy:
        'accept and work behind the answer; or raise max-revision-timeout-seconds (and the grace period of the activator with it)',
    }
  },
}

export const responseStartTimeout: Rule = {
  id: 'response-start-timeout',
  summary:
    'Without responseStartTimeoutSeconds a handler that says nothing is cut at 300 s, whatever timeoutSeconds is.',
  references: [serving('pkg/apis/serving/v1/revision_defaults.go'), serving('pkg/http/handler/timeout.go')],
  on: isService,
  *check(service) {
    const { revisionMs, responseStartMs } = timeoutsOf(service)
    const given = numberAt(podOf(service), ['responseStartTimeoutSeconds'])
    if (given === undefined && revisionMs > responseStartMs)
      yield {
        level: 'error',
        path: [...podPath, 'timeoutSeconds'],
        message: `timeoutSeconds: ${showMs(revisionMs)}, but responseStartTimeoutSeconds is filled in with 300: a request without an answer gets 504 after ${showMs(responseStartMs)}`,
        remedy: `responseStartTimeoutSeconds: ${revisionMs / 1_000}`,
      }
    else if (responseStartMs > revisionMs)
      yield {
        level: 'warning',
        path: [...podPath, 'responseStartTimeoutSeconds'],
        message: `responseStartTimeoutSeconds: ${showMs(responseStartMs)} > timeoutSeconds: ${showMs(revisionMs)}, which cuts everything first`,
        remedy: `at most ${revisionMs / 1_000}, or a longer timeoutSeconds`,
      }
  },
}

/** Comment heartbeats of event streams come every 15 s or so; below that every stream is cut. */
const heartbeatMs = 15_000

export const idleTimeout: Rule = {
  id: 'idle-timeout',
  summary: 'An idle timeout that is longer than the revision timeout, or shorter than the heartbeat of a stream.',
  references: [serving('pkg/http/handler/timeout.go')],
  on: isService,
  *check(service) {
    const { revisionMs, idleMs } = timeoutsOf(service)
    const path = [...podPath, 'idleTimeoutSeconds']
    if (idleMs > revisionMs)
      yield {
        level: 'warning',
        path,
        message: `idleTimeoutSeconds: ${showMs(idleMs)} > timeoutSeconds: ${showMs(revisionMs)}, which cuts everything first`,
        remedy: `at most ${revisionMs / 1_000}, or 0: off`,
      }
    else if (idleMs > 0 && idleMs <= heartbeatMs)
      yield {
        level: 'warning',
        path,
        message: `idleTimeoutSeconds: ${showMs(idleMs)} ≤ ${showMs(heartbeatMs)}, the usual heartbeat of an event stream: a handler or stream that is silent for that long gets 504 or is cut`,
        remedy: 'above the longest silence, or 0: off',
      }
  },
}
