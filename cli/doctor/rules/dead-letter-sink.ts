// Where an event goes that its source gives up.

import { destinationAt, hasDelivery, isKafkaSource, targetOf, type Destination } from '../kafka-source.ts'
import { valueAt } from '../manifest.ts'
import { fact, knativeDocs } from '../references.ts'
import type { Rule } from '../rule.ts'

const path = ['spec', 'delivery', 'deadLetterSink'] as const

export const deadLetterSinkMissing: Rule = {
  id: 'dead-letter-sink-missing',
  summary: 'Without a dead letter sink an event that is given up is gone: its offset is committed.',
  references: [fact(15), fact(11)],
  on: isKafkaSource,
  *check(source) {
    if (valueAt(source.value, path) !== undefined) return
    yield {
      level: 'error',
      path: hasDelivery(source) ? ['spec', 'delivery'] : ['spec'],
      message:
        'no deadLetterSink: after the last retry, and at once after a 400, 401, 403, 410, 415, 422 or 431, the offset is committed and the event is nowhere',
      remedy: 'a KafkaSink on a topic of its own as delivery.deadLetterSink',
    }
  },
}

export const deadLetterSinkUnknown: Rule = {
  id: 'dead-letter-sink-unknown',
  summary:
    'The dead letter sink is not among the manifests; a source whose dead letter sink does not resolve does not become ready.',
  references: [fact(15), knativeDocs('eventing/event-delivery')],
  on: isKafkaSource,
  *check(source, all) {
    const sink = destinationAt(source, path)
    if (sink === undefined || sink.uri?.includes('://') === true || targetOf(sink, all) !== undefined) return
    yield {
      level: complete(sink) ? 'warning' : 'error',
      path: [...path],
      message: complete(sink)
        ? `${sink.kind} ${sink.namespace}/${sink.name} is in none of the files that were read`
        : 'the deadLetterSink names neither an object (ref.kind and ref.name) nor an absolute uri',
      remedy: 'correct the name, or read the file that has it, too',
    }
  },
}

export const deadLetterSinkIsSink: Rule = {
  id: 'dead-letter-sink-is-sink',
  summary: 'The dead letter sink is the sink that has just refused the event.',
  references: [fact(15), fact(34)],
  on: isKafkaSource,
  *check(source) {
    const [sink, letters] = [destinationAt(source, ['spec', 'sink']), destinationAt(source, path)]
    if (sink === undefined || letters === undefined || addressOf(sink) !== addressOf(letters)) return
    yield {
      level: 'error',
      path: [...path],
      message: `sink and deadLetterSink are both ${addressOf(sink)}: what it refused it refuses again, and then the event is dropped`,
      remedy: 'a KafkaSink on a topic of its own',
    }
  },
}

const complete = ({ kind, name }: Destination): boolean => kind !== undefined && name !== undefined

const addressOf = ({ kind, namespace, name, uri }: Destination): string =>
  name === undefined ? (uri ?? '') : `${kind ?? ''} ${namespace}/${name}${uri ?? ''}`
