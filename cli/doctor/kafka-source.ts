// A KafkaSource as the rules see it.

import { deliveryRules, type DeliveryRules, type DeliverySpec } from '../../local/kafka-source/index.ts'
import { SluiceError } from '../../shared/errors/index.ts'
import { numberAt, objectAt, textAt, valueAt, type Manifest, type Path } from './manifest.ts'

export const isKafkaSource = ({ kind, apiVersion }: Manifest): boolean =>
  kind === 'KafkaSource' && apiVersion.startsWith('sources.knative.dev/')

export const isOrdered = ({ value }: Manifest): boolean => textAt(value, ['spec', 'ordering']) !== 'unordered'

export const hasDelivery = ({ value }: Manifest): boolean => valueAt(value, ['spec', 'delivery']) !== undefined

/** Their sum is beyond any retention by then, and is added up one by one. */
const mostRetries = 10_000

/** As the data plane lowers it; undefined when a duration cannot be read, which is a finding of its own. */
export function rulesOf({ value }: Manifest): DeliveryRules | undefined {
  const delivery = valueAt(value, ['spec', 'delivery'])
  if (delivery === undefined) return deliveryRules(undefined)
  const retry = numberAt(delivery, ['retry'])
  const backoffDelay = textAt(delivery, ['backoffDelay'])
  const timeout = textAt(delivery, ['timeout'])
  const spec: DeliverySpec = {
    ...(retry === undefined ? {} : { retry: Math.min(Math.max(0, Math.trunc(retry)), mostRetries) }),
    ...(textAt(delivery, ['backoffPolicy']) === 'linear' ? { backoffPolicy: 'linear' } : {}),
    ...(backoffDelay === undefined ? {} : { backoffDelay }),
    ...(timeout === undefined ? {} : { timeout }),
    ...(valueAt(delivery, ['deadLetterSink']) === undefined ? {} : { deadLetterSink: { uri: 'given' } }),
  }
  try {
    return deliveryRules(spec)
  } catch (error) {
    if (error instanceof SluiceError) return undefined
    throw error
  }
}

export interface Destination {
  readonly path: Path
  readonly kind: string | undefined
  readonly name: string | undefined
  readonly namespace: string
  readonly uri: string | undefined
}

export function destinationAt({ value, namespace }: Manifest, path: Path): Destination | undefined {
  if (valueAt(value, path) === undefined) return undefined
  const ref = objectAt(value, [...path, 'ref'])
  return {
    path,
    kind: textAt(ref, ['kind']),
    name: textAt(ref, ['name']),
    namespace: textAt(ref, ['namespace']) ?? namespace,
    uri: textAt(value, [...path, 'uri']),
  }
}

/** The manifest that a destination names; undefined when it is not among those that were read. */
export const targetOf = (destination: Destination | undefined, all: readonly Manifest[]): Manifest | undefined =>
  destination?.name === undefined
    ? undefined
    : all.find(
        ({ kind, name, namespace }) =>
          kind === destination.kind && name === destination.name && namespace === destination.namespace,
      )

export const sinkOf = (source: Manifest, all: readonly Manifest[]): Manifest | undefined =>
  targetOf(destinationAt(source, ['spec', 'sink']), all)

export const topicsOf = ({ value }: Manifest): readonly string[] => {
  const topics = valueAt(value, ['spec', 'topics'])
  return Array.isArray(topics) ? topics.filter((topic) => typeof topic === 'string') : []
}

/** Strimzi's KafkaTopic of that name, where it is among those that were read. */
export const topicNamed = (topic: string, all: readonly Manifest[]): Manifest | undefined =>
  all.find(({ kind, value, name }) => kind === 'KafkaTopic' && (textAt(value, ['spec', 'topicName']) ?? name) === topic)
