// Contract of dead-letter-intake.

import { allTopics, deadLetterTopicOf, topicOf } from '../../shared/events/index.ts'
import { anyEventOn, defineFunction } from '../../shared/function/index.ts'

/** Every topic on which our KafkaSources' own sinks write. */
const deadLetterTopics = allTopics.map(deadLetterTopicOf).filter(({ name }) => topicOf(name) !== undefined)

export const deadLetterIntake = defineFunction({
  name: 'dead-letter-intake',
  purpose: 'Records the events that a KafkaSource gave up as dead letters, so that they can be replayed',
  consumes: anyEventOn(deadLetterTopics),
  produces: [],
  execution: 'transaction',
  ordering: 'none',
  // What was dead once has no dead letter sink: its source tries for a day, and its topic keeps it for a month.
  source: { outageMs: 86_400_000 },
  needs: ['postgres'],
  scale: { min: 0, max: 3, concurrency: 20 },
})
