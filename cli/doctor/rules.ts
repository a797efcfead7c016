// Every rule, in the order in which the reports list them: what loses events, what holds them up, what the cluster refuses.

import type { Rule } from './rule.ts'
import { kedaAnnotation, consumersIgnored, serviceAnnotation } from './rules/autoscaling-annotation.ts'
import { backoffZero, durationUnreadable } from './rules/backoff-delay.ts'
import { blockedField } from './rules/blocked-field.ts'
import { ceOverrides } from './rules/ce-overrides.ts'
import { consumerGroupMissing, consumerGroupShared } from './rules/consumer-group.ts'
import {
  concurrencyIsNoOrder,
  concurrencyOutOfRange,
  concurrencyOverflow,
  concurrencyUnused,
} from './rules/container-concurrency.ts'
import { deadLetterSinkIsSink, deadLetterSinkMissing, deadLetterSinkUnknown } from './rules/dead-letter-sink.ts'
import { deliveryMissing } from './rules/delivery-missing.ts'
import { deliveryOverlap } from './rules/delivery-overlap.ts'
import { featureGate } from './rules/feature-gate.ts'
import { headOfLineBlock } from './rules/head-of-line-block.ts'
import { deliveryFormatIgnored, retryAfterMaxIgnored } from './rules/ignored-delivery-field.ts'
import { initialOffsetLatest } from './rules/initial-offset.ts'
import { keyType } from './rules/key-type.ts'
import { knFirstDocument } from './rules/kn-first-document.ts'
import { kneHeaderName } from './rules/kne-header-name.ts'
import { npmAsFirstProcess } from './rules/npm-as-first-process.ts'
import { orderedThroughput } from './rules/ordered-throughput.ts'
import { portName, reservedPort, severalPorts } from './rules/port.ts'
import { probePeriod, probePort } from './rules/probe.ts'
import { reservedMountPath } from './rules/reserved-mount-path.ts'
import { reservedVariable } from './rules/reserved-variable.ts'
import { retryMissing } from './rules/retry-missing.ts'
import { retryOutlastsRetention, retryWindowShort } from './rules/retry-window.ts'
import { securityContext } from './rules/security-context.ts'
import { sinkUnknown } from './rules/sink-unknown.ts'
import { terminationDrain } from './rules/termination-drain.ts'
import { idleTimeout, responseStartTimeout, timeoutBeyondMax } from './rules/timeouts.ts'
import { traceOfAnotherRecord } from './rules/trace-of-another-record.ts'

export const rules: readonly Rule[] = [
  deliveryMissing,
  retryMissing,
  backoffZero,
  durationUnreadable,
  retryWindowShort,
  deadLetterSinkMissing,
  deadLetterSinkUnknown,
  deadLetterSinkIsSink,
  sinkUnknown,
  initialOffsetLatest,
  consumerGroupMissing,
  consumerGroupShared,
  keyType,
  ceOverrides,
  kneHeaderName,
  retryOutlastsRetention,
  headOfLineBlock,
  orderedThroughput,
  deliveryOverlap,
  concurrencyOverflow,
  concurrencyUnused,
  concurrencyIsNoOrder,
  traceOfAnotherRecord,
  retryAfterMaxIgnored,
  deliveryFormatIgnored,
  kedaAnnotation,
  consumersIgnored,
  terminationDrain,
  timeoutBeyondMax,
  responseStartTimeout,
  idleTimeout,
  probePort,
  probePeriod,
  reservedPort,
  severalPorts,
  portName,
  reservedVariable,
  reservedMountPath,
  concurrencyOutOfRange,
  featureGate,
  blockedField,
  securityContext,
  serviceAnnotation,
  npmAsFirstProcess,
  knFirstDocument,
]
