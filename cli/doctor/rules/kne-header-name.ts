// Answers whose headers become attributes of dead letters. Who sets them is anybody: every text of every object is read.

import { valueAt, type Path } from '../manifest.ts'
import { fact, kafkaBroker } from '../references.ts'
import type { Rule } from '../rule.ts'

/** These overwrite the dead letter's own attributes. */
const taken = /^kne-(?:id|type|source|specversion|subject|time|datacontenttype|dataschema|knativeerror.*)$/i
const name = /\bkne-[a-z0-9_-]*[a-z0-9_]/gi

export const kneHeaderName: Rule = {
  id: 'kne-header-name',
  summary:
    'A response header kne-… of the wrong name jams a record for ever: no dead letter, no commit, the partition stops.',
  references: [
    fact(16),
    fact(34),
    kafkaBroker(
      'data-plane/dispatcher/src/main/java/dev/knative/eventing/kafka/broker/dispatcher/impl/http/WebClientCloudEventSender.java',
    ),
  ],
  on: () => true,
  *check({ value }) {
    for (const { path, text } of textsOf(value, [])) {
      for (const [found] of text.matchAll(name)) {
        const jams = !/^kne-[a-z0-9]+$/i.test(found)
        if (!jams && !taken.test(found)) continue
        yield {
          level: 'error',
          path,
          message: jams
            ? `an answer with the header ${found} jams its record for ever: the name of an extension has only [a-z0-9]`
            : `an answer with the header ${found} overwrites an attribute of the dead letter`,
          remedy: jams ? found.replaceAll(/(?<=^kne-.*)[^a-z0-9]/gi, '') : 'another name of [a-z0-9]',
        }
      }
    }
  },
}

/** Every key and every text: such a header is set by a mesh, a gateway, a ConfigMap, a variable. */
function* textsOf(value: unknown, path: Path): Iterable<{ readonly path: Path; readonly text: string }> {
  if (typeof value === 'string') yield { path, text: value }
  else if (typeof value === 'object' && value !== null)
    for (const key of Object.keys(value)) {
      const step = Array.isArray(value) ? Number(key) : key
      if (typeof step === 'string') yield { path: [...path, step], text: step }
      yield* textsOf(valueAt(value, [step]), [...path, step])
    }
}
