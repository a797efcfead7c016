// Keys that keep a record from ever reaching the sink, and the dead letter sink as well. Its offset is committed.

import { isKafkaSource } from '../kafka-source.ts'
import { objectAt } from '../manifest.ts'
import { fact, kafkaBroker } from '../references.ts'
import type { Breach, Rule } from '../rule.ts'

const label = 'kafkasources.sources.knative.dev/key-type'
const types = ['string', 'int', 'float', 'byte-array']
const path = ['metadata', 'labels'] as const
const lost =
  'a binary key read as text has control characters, no header can carry them, and the record reaches neither the sink nor the dead letter sink'

export const keyType: Rule = {
  id: 'key-type',
  summary:
    'Records with binary keys never reach any sink when the label key-type is missing, misspelt or does not fit.',
  references: [fact(29), fact(9), kafkaBroker('control-plane/pkg/apis/sources/v1/kafka_types.go')],
  on: isKafkaSource,
  *check(source) {
    const labels = objectAt(source.value, path)
    const meant = Object.keys({ ...labels, ...objectAt(source.value, ['metadata', 'annotations']) }).filter(
      (name) => /key-?type$/i.test(name) && (name !== label || !(label in labels)),
    )
    for (const name of meant) {
      yield {
        level: 'error',
        path: [...(name in labels ? path : ['metadata', 'annotations']), name],
        message: `${name} is read by nothing: keys are taken for text; ${lost}`,
        remedy: `the label ${label}`,
      }
    }
    yield* ofLabel(labels[label], meant.length > 0)
  },
}

function* ofLabel(given: unknown, misspelt: boolean): Iterable<Breach> {
  if (given === undefined) {
    if (!misspelt)
      yield {
        level: 'note',
        path: ['metadata'],
        message: `no key-type label: keys are taken for text; ${lost}, should a producer write integers`,
        remedy: `text keys, or the label ${label}`,
      }
  } else if (typeof given !== 'string' || !types.includes(given)) {
    yield {
      level: 'error',
      path: [...path, label],
      message: `key-type ${JSON.stringify(given)} is none of ${types.join(', ')} and counts as string; ${lost}`,
      remedy: `one of ${types.join(', ')}`,
    }
  } else if (given === 'int') {
    yield {
      level: 'warning',
      path: [...path, label],
      message: `int is 4 bytes: an 8-byte key (Java's Long) is read as text; ${lost}`,
      remedy: 'byte-array, which takes any length as base64, unless every producer writes 32-bit integers',
    }
  }
}
