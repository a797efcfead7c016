// The proofs of one function: its sources and its Service, with the numbers that the receiver, the lane driver and the topics
// really have. What does not hold is refused here, on the laptop.

import { deliveryRules } from '../../local/kafka-source/index.ts'
import { kafkaSourcesOf } from '../../local/platform/index.ts'
import { loadConfig } from '../../shared/config/index.ts'
import { laneAnswerMs } from '../../shared/delivery/index.ts'
import { SluiceError } from '../../shared/errors/index.ts'
import { topicOf } from '../../shared/events/index.ts'
import { answerTimesOf, type AnyFunction } from '../../shared/function/index.ts'
import { proveService, proveSource, type Proof } from './delivery-budget.ts'
import { hasLanes, longestAnswerMs, timeoutsOf } from './plan-function.ts'

export interface Proven {
  /** A KafkaSource, or the Service of the function. */
  readonly resource: string
  readonly proofs: readonly Proof[]
}

export const proveFunction = (definition: AnyFunction): readonly Proven[] => [
  ...proveSources(definition),
  { resource: definition.name, proofs: proveServiceOf(definition) },
]

function proveSources(definition: AnyFunction): readonly Proven[] {
  if (definition.kind !== 'event') return []
  const { sourceMs: acceptanceMs } = answerTimesOf(definition)
  const { outageMs } = definition.source
  const inboxMs = loadConfig({}).inboxRetentionDays * 86_400_000
  return kafkaSourcesOf(definition, '', (topic) => topic).map(({ metadata, spec }) => {
    const retentionMs = Math.min(...spec.topics.map((topic) => topicOf(topic)?.retentionMs ?? 0))
    const rules = deliveryRules(spec.delivery)
    // A dead letter that is too old for the inbox is recorded all the same, as one that nobody knows.
    const inbox = hasLanes(definition) && spec.delivery?.deadLetterSink !== undefined ? { inboxMs } : {}
    const facts = { rules, acceptanceMs, outageMs, retentionMs, ...inbox }
    return { resource: metadata.name, proofs: proveSource(facts) }
  })
}

function proveServiceOf(definition: AnyFunction): readonly Proof[] {
  const { revisionMs, idleMs } = timeoutsOf(definition)
  const stream = definition.kind === 'http' ? definition.stream : undefined
  const { shutdownTimeoutMs } = loadConfig({})
  return proveService({
    longestRunMs: Math.max(longestAnswerMs(definition), stream?.longestMs ?? 0),
    longestSilenceMs: Math.max(longestAnswerMs(definition), stream?.heartbeatMs ?? 0),
    ...(hasLanes(definition) ? { callerMs: laneAnswerMs } : {}),
    revisionTimeoutMs: revisionMs,
    responseStartTimeoutMs: revisionMs,
    idleTimeoutMs: idleMs,
    shutdownMs: shutdownTimeoutMs,
  })
}

/** @throws SluiceError `budget_violated`, naming each proof that does not hold and its remedy. */
export function refuseUnproven({ name }: AnyFunction, proven: readonly Proven[]): void {
  const broken = proven.flatMap(({ resource, proofs }) =>
    proofs.filter(({ holds }) => !holds).map(({ claim, remedy }) => `${resource}: not ${claim}; ${remedy}`),
  )
  if (broken.length > 0) throw new SluiceError('budget_violated', `function ${name}: ${broken.join('\n  ')}`)
}
