// The copy of a dead letter for `<topic>.dlq`: the original event with the facts of its failure as extensions. What was never
// an event travels as the bytes it was. The row in `sluice.dead_letter` is the authority; a copy that would not fit the topic
// goes without its data.

import { SluiceError } from '../../errors/index.ts'
import {
  deadLetterTopicOf,
  encodeRecord,
  fromJsonFormat,
  recordBytes,
  toJsonFormat,
  topicOf,
  type CloudEvent,
  type Topic,
} from '../../events/index.ts'
import type { Emission } from '../outbox/emission.ts'
import { numbered } from '../outbox/outbox-record.ts'
import type { Death } from './dead-letter.ts'

/** Undefined when it did not come from a topic that has a dead-letter topic. */
export function deadLetterCopy(
  death: Death & { readonly recordKey: string | null },
  deadLetterId: string,
): Emission | undefined {
  const source = death.topic === null ? undefined : topicOf(death.topic)
  const topic = source === undefined ? undefined : topicOf(deadLetterTopicOf(source).name)
  if (topic === undefined) return undefined
  const key = death.recordKey ?? death.key ?? deadLetterId
  const event = candidates(death, deadLetterId).find((candidate) => fits(candidate, { key, topic }))
  if (event === undefined) return undefined
  return { topic: topic.name, key, id: event.id, tenant: death.tenant, json: JSON.stringify(toJsonFormat(event)) }
}

function candidates(death: Death, deadLetterId: string): readonly CloudEvent[] {
  const facts = {
    sluicecause: death.cause,
    sluiceattempts: String(death.attempts),
    sluicefingerprint: death.fingerprint,
    sluicefunction: death.function,
    sluicedeadletter: deadLetterId,
  }
  const remains: CloudEvent = {
    specversion: '1.0',
    id: deadLetterId,
    source: `/sluice/${death.function}`,
    type: 'sluice.record.refused.v1',
    data: undefined,
    extensions: { ...facts, ...(death.tenant === '' ? {} : { tenant: death.tenant }), traceparent: death.trace },
  }
  const bytes: CloudEvent = { ...remains, datacontenttype: 'application/octet-stream', data: death.raw }
  const decoded = death.event === null ? undefined : fromJsonFormat(JSON.parse(death.event))
  if (decoded?.ok !== true) return [bytes, remains]
  return [{ ...decoded.event, extensions: { ...decoded.event.extensions, ...facts } }, bytes, remains]
}

function fits(event: CloudEvent, { key, topic }: { readonly key: string; readonly topic: Topic }): boolean {
  try {
    return recordBytes(encodeRecord(numbered(event, 0), { key })) <= topic.maxEventBytes
  } catch (error) {
    if (error instanceof SluiceError) return false // too many attributes with the facts added
    throw error
  }
}
