// A sink that is not there.

import { destinationAt, isKafkaSource, targetOf } from '../kafka-source.ts'
import { knativeDocs } from '../references.ts'
import type { Rule } from '../rule.ts'

export const sinkUnknown: Rule = {
  id: 'sink-unknown',
  summary: 'The sink is not among the manifests, or not complete.',
  references: [knativeDocs('eventing/sinks')],
  on: isKafkaSource,
  *check(source, all) {
    const sink = destinationAt(source, ['spec', 'sink'])
    if (sink?.uri?.includes('://') === true || targetOf(sink, all) !== undefined) return
    const named = sink?.kind !== undefined && sink.name !== undefined
    yield {
      level: named ? 'warning' : 'error',
      path: ['spec', 'sink'],
      message: named
        ? `${sink.kind} ${sink.namespace}/${sink.name} is in none of the files that were read`
        : 'the sink names neither an object (ref.kind and ref.name) nor an absolute uri',
      remedy: 'correct the name, or read the file that has it, too',
    }
  },
}
