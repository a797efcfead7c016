// What a contract comes to on Knative: the values of the chart for one function. Everything here follows from the contract; what
// an installation decides is in knative/values.yaml.

import type { DeliverySpec, KafkaSourceSpec } from '../../local/kafka-source/index.ts'
import { dashed, kafkaSourcesOf } from '../../local/platform/index.ts'
import { answerTimesOf, type AnyFunction, type Size } from '../../shared/function/index.ts'
import { knativeLimits } from './knative-limits.ts'

/** As the chart's templates read it. Key order is the order in files/functions.yaml. */
export interface FunctionPlan {
  readonly purpose: string
  readonly kind: AnyFunction['kind']
  readonly exposure: 'cluster' | 'public'
  /** Names of `secrets` in knative/values.yaml; `kafka` stands for the credentials of its `kafka`. */
  readonly secrets: readonly SecretName[]
  readonly scale: { readonly min: number; readonly max: number; readonly target: number }
  readonly resources: Resources
  readonly containerConcurrency: number
  readonly timeoutSeconds: number
  readonly responseStartTimeoutSeconds: number
  readonly idleTimeoutSeconds?: number
  readonly schedule?: string
  readonly sources: readonly SourcePlan[]
}

export type SecretName = 'database' | 'redis' | 'model' | 'memory' | 'kafka'

export interface SourcePlan {
  readonly name: string
  readonly topic: string
  readonly consumerGroup: string
  readonly initialOffset: KafkaSourceSpec['spec']['initialOffset']
  readonly ordering: KafkaSourceSpec['spec']['ordering']
  readonly delivery: Omit<DeliverySpec, 'deadLetterSink'>
  /** The KafkaSink; none for what was dead already. */
  readonly deadLetterSink?: string
  readonly extensions: Readonly<Record<string, string>>
}

interface Resources {
  readonly requests: Quantities
  readonly limits: Quantities
}

interface Quantities {
  readonly cpu: string
  readonly memory: string
}

const defaultSize: Size = { cpuMillicores: 100, cpuLimitMillicores: 1_000, memoryMiB: 256 }

export function planFunction(definition: AnyFunction): FunctionPlan {
  const { purpose, kind, scale } = definition
  const timeouts = timeoutsOf(definition)
  return {
    purpose,
    kind,
    exposure: definition.kind === 'http' ? (definition.exposure ?? 'cluster') : 'cluster',
    secrets: secretsOf(definition),
    scale: { min: scale.min, max: scale.max, target: scale.concurrency },
    resources: resourcesOf(definition.size ?? defaultSize),
    containerConcurrency: containerConcurrencyOf(definition),
    timeoutSeconds: timeouts.revisionMs / 1_000,
    // Unset, Knative fills in 300 and cuts a silent handler there.
    responseStartTimeoutSeconds: timeouts.revisionMs / 1_000,
    ...(timeouts.idleMs === 0 ? {} : { idleTimeoutSeconds: timeouts.idleMs / 1_000 }),
    ...(definition.kind === 'scheduled' ? { schedule: definition.schedule } : {}),
    sources: sourcesOf(definition),
  }
}

function secretsOf({ needs, uses = [], produces }: AnyFunction): readonly SecretName[] {
  const wanted: readonly (readonly [boolean, SecretName])[] = [
    [needs.includes('postgres'), 'database'],
    [needs.includes('redis'), 'redis'],
    [needs.includes('model'), 'model'],
    [uses.includes('memory'), 'memory'],
    // What it emits it also publishes early.
    [needs.includes('kafka') || produces.length > 0, 'kafka'],
  ]
  return wanted.filter(([is]) => is).map(([, name]) => name)
}

// Memory is asked for whole: a process that was promised less than it may use is the first that the node kills.
const resourcesOf = ({ cpuMillicores, cpuLimitMillicores, memoryMiB }: Size): Resources => ({
  requests: { cpu: cpuOf(cpuMillicores), memory: memoryOf(memoryMiB) },
  limits: { cpu: cpuOf(cpuLimitMillicores), memory: memoryOf(memoryMiB) },
})

// As Kubernetes writes them back: what is written otherwise looks changed to whoever compares.
const cpuOf = (millicores: number): string => (millicores % 1_000 === 0 ? `${millicores / 1_000}` : `${millicores}m`)
const memoryOf = (mebibytes: number): string => (mebibytes % 1_024 === 0 ? `${mebibytes / 1_024}Gi` : `${mebibytes}Mi`)

/**
 * What queue-proxy lets through to one process. An event function has places for its source and as many for its lanes, and for
 * each a queue of that length, and refuses the rest itself; queue-proxy must not fill up with the runs of lanes before.
 */
const containerConcurrencyOf = ({ kind, scale: { concurrency } }: AnyFunction): number =>
  Math.min(knativeLimits.containerConcurrency, kind === 'http' ? concurrency : concurrency * 4)

const leastRevisionMs = 90_000
const marginMs = 10_000

export interface Timeouts {
  readonly revisionMs: number
  /** 0: off. */
  readonly idleMs: number
}

/** Longest time from a request to its answer, streams apart. */
export const longestAnswerMs = (definition: AnyFunction): number =>
  definition.kind === 'http' ? definition.answerMs : answerTimesOf(definition).runMs

/** Does the lane driver run it? It waits up to its own limit, and Knative must cut later than that. */
export const hasLanes = (definition: AnyFunction): boolean =>
  definition.kind === 'event' && definition.execution !== 'stateless'

export function timeoutsOf(definition: AnyFunction): Timeouts {
  const answerMs = longestAnswerMs(definition)
  const stream = definition.kind === 'http' ? definition.stream : undefined
  const longMs = hasLanes(definition) || stream !== undefined
  const revisionMs = longMs
    ? knativeLimits.revisionTimeoutMs
    : Math.max(leastRevisionMs, wholeSeconds(answerMs + marginMs))
  // Only where answers go on: a handler that is silent until it has its answer would be cut.
  const idleMs = stream === undefined ? 0 : wholeSeconds(Math.max(answerMs, stream.heartbeatMs) + marginMs)
  return { revisionMs, idleMs }
}

const wholeSeconds = (ms: number): number => Math.ceil(ms / 1_000) * 1_000

const sourcesOf = (definition: AnyFunction): readonly SourcePlan[] =>
  kafkaSourcesOf(definition, '', (topic) => topic).flatMap(({ metadata, spec }) =>
    spec.topics.map((topic) => {
      const { consumerGroup, initialOffset, ordering, ceOverrides } = spec
      const { deadLetterSink, ...delivery } = spec.delivery ?? {}
      return {
        name: metadata.name,
        topic,
        consumerGroup,
        initialOffset,
        ordering,
        delivery,
        ...(deadLetterSink === undefined ? {} : { deadLetterSink: dashed(deadLetterSink.uri) }),
        extensions: { ...ceOverrides?.extensions },
      }
    }),
  )
