// A policy: lets through only events of a type that the function consumes, on the topic it consumes it from, whose data
// fits the compiled schema. Inner code never sees anything else.

import type { EventType } from '../../../events/index.ts'
import type { Consumption } from '../../contract.ts'
import type { Policy } from '../pipeline.ts'
import { refusalOf } from '../refuse.ts'

interface Consumed {
  readonly type: EventType
  readonly topics: Set<string>
}

export const validate = (consumes: readonly Consumption[]): Policy => {
  const consumed = new Map<string, Consumed>()
  for (const { topic, type } of consumes) {
    const entry = consumed.get(type.type) ?? { type, topics: new Set<string>() }
    entry.topics.add(topic.name)
    consumed.set(type.type, entry)
  }
  return ({ refuse }, next) =>
    (incoming, reception) => {
      const { event, topic } = incoming
      const entry = consumed.get(event.type)
      if (entry === undefined || (topic !== undefined && !entry.topics.has(topic))) {
        const message = 'the function does not consume this type from this topic'
        return refuse(refusalOf(incoming, 'unknown_type', message), reception)
      }
      if (!entry.type.validate(event.data)) {
        return refuse(refusalOf(incoming, 'data_invalid', entry.type.explain(event.data)), reception)
      }
      return next(incoming, reception)
    }
}
