// What Terraform needs to know of topics and functions: infra/terraform/generated/*.auto.tfvars.json, which the environments load.

import { kafkaSourcesOf } from '../local/platform/index.ts'
import { allTopics } from '../shared/events/index.ts'
import type { AnyFunction } from '../shared/function/index.ts'

export const topicsFile = 'infra/terraform/generated/topics.auto.tfvars.json'
export const functionsFile = 'infra/terraform/generated/functions.auto.tfvars.json'

export const topicsInput = (): object => ({
  topics: Object.fromEntries(
    allTopics.map(({ name, partitions, retentionMs, compacted = false, maxEventBytes }) => [
      name,
      { partitions, retention_ms: retentionMs, compacted, max_event_bytes: maxEventBytes },
    ]),
  ),
})

export const functionsInput = (definitions: readonly AnyFunction[]): object => ({
  functions: Object.fromEntries(
    definitions.map((definition) => {
      const { name, kind, needs, uses = [], produces } = definition
      const sources = kafkaSourcesOf(definition, '')
      return [
        name,
        {
          kind,
          needs,
          uses,
          public: definition.kind === 'http' && definition.exposure === 'public',
          consumes: sources.flatMap(({ spec }) => spec.topics),
          consumer_groups: sources.map(({ spec }) => spec.consumerGroup),
          produces: [...new Set(produces.map(({ topic }) => topic.name))],
        },
      ]
    }),
  ),
})
