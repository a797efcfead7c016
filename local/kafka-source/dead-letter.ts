// The event that goes to the dead letter sink: the same one in version 1.0 with facts about the failure. Response headers
// kne-<x> become extensions and may overwrite any of them, facts included; only the body's copy comes last. A name with a
// hyphen or underscore after the prefix makes the SDK throw where nothing catches it: the record is jammed (K16).

import { inMapOrder, isExtensionName, rebuildEvent, withExtensions, type DispatchedEvent } from './request/index.ts'
import type { SendOutcome, SinkAnswer } from './sender.ts'

const keptBodyBytes = 1024
const prefix = 'kne-'

export type DeadLetter =
  | { readonly kind: 'event'; readonly event: DispatchedEvent }
  | { readonly kind: 'jammed'; readonly cause: string }

export function deadLetterOf(event: DispatchedEvent, sinkUri: string, outcome: SendOutcome): DeadLetter {
  const facts = new Map([['knativeerrordest', sinkUri]])
  if (outcome.kind === 'answer') addAnswer(facts, outcome)
  const illegal = [...facts.keys()].find((name) => !isExtensionName(name))
  if (illegal !== undefined) return { kind: 'jammed', cause: `the answer had the header ${prefix}${illegal}` }
  const rebuilt = rebuildEvent(event)
  if (rebuilt === undefined) return { kind: 'jammed', cause: 'an extension has the name of an attribute' }
  return { kind: 'event', event: withExtensions(rebuilt, inMapOrder(facts)) }
}

function addAnswer(facts: Map<string, string>, { status, headers, body }: SinkAnswer): void {
  facts.set('knativeerrorcode', String(status))
  for (const [name, value] of headers) {
    const lower = name.toLowerCase()
    if (lower.startsWith(prefix)) facts.set(lower.slice(prefix.length), value)
  }
  if (body.length > 0) facts.set('knativeerrordata', body.subarray(0, keptBodyBytes).toString('base64'))
}
