// Extensions that are put on every event of a source.

import { isKafkaSource } from '../kafka-source.ts'
import { objectAt } from '../manifest.ts'
import { fact, kafkaBroker } from '../references.ts'
import type { Breach, Rule } from '../rule.ts'

const path = ['spec', 'ceOverrides', 'extensions'] as const
const attributes = ['id', 'source', 'type', 'specversion', 'subject', 'time', 'datacontenttype', 'dataschema']
const own = ['knativekafkapartition', 'knativekafkaoffset', 'key', 'partitionkey']

export const ceOverrides: Rule = {
  id: 'ce-overrides',
  summary: 'An override that breaks every event of the source.',
  references: [fact(30), fact(9), kafkaBroker('control-plane/pkg/apis/sources/v1/kafka_validation.go')],
  on: isKafkaSource,
  *check(source) {
    for (const [name, value] of Object.entries(objectAt(source.value, path))) {
      const fault = faultOf(name, String(value))
      if (fault !== undefined) yield { path: [...path, name], ...fault }
    }
  },
}

function faultOf(name: string, value: string): Omit<Breach, 'path'> | undefined {
  if (/\p{Cc}/u.test(value))
    return {
      level: 'error',
      message: `${name} has a control character, which no header can carry: no event of this source ever reaches the sink or the dead letter sink`,
      remedy: 'a value of one line',
    }
  if (!/^[a-z0-9]+$/.test(name))
    return {
      level: 'error',
      message: `${name} is no name of an extension: the webhook refuses all but [a-z0-9]`,
      remedy: name.toLowerCase().replaceAll(/[^a-z0-9]/g, ''),
    }
  if (attributes.includes(name))
    return {
      level: 'error',
      message: `${name} is an attribute: the override is sent as a second ce-${name} header, and receivers disagree about which counts`,
      remedy: 'a name of its own',
    }
  if (own.includes(name))
    return {
      level: 'warning',
      message: `${name} is what the source itself says about a record, and the override hides it`,
      remedy: 'a name of its own',
    }
  return undefined
}
