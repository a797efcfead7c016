// The event that goes to the dead letter sink: the same one with facts about the failure. Response headers kne-<x> become
// extensions and may overwrite any of them. A name with a hyphen or underscore after the prefix makes the SDK throw where
// nothing catches it: the record is jammed (fixtures delivery-kne-headers-hyphen, -underscore).

import { withExtensions, type DispatchedEvent } from './request/index.ts'
import type { SendOutcome } from './sender.ts'

const keptBodyBytes = 1024

export type DeadLetter =
  | { readonly kind: 'event'; readonly event: DispatchedEvent }
  | { readonly kind: 'jammed'; readonly header: string }

export function deadLetterOf(event: DispatchedEvent, sinkUri: string, outcome: SendOutcome): DeadLetter {
  const facts: [string, string][] = [['knativeerrordest', sinkUri]]
  if (outcome.kind === 'answer') {
    facts.push(['knativeerrorcode', String(outcome.status)])
    for (const [name, value] of outcome.headers) {
      if (!/^kne-/i.test(name)) continue
      const extension = name.slice('kne-'.length).toLowerCase()
      if (!/^[a-z0-9]*$/.test(extension)) return { kind: 'jammed', header: name }
      facts.push([extension, value])
    }
    const { body } = outcome
    if (body.length > 0 && !facts.some(([name]) => name === 'knativeerrordata')) {
      facts.push(['knativeerrordata', body.subarray(0, keptBodyBytes).toString('base64')])
    }
  }
  return { kind: 'event', event: { ...withExtensions(event, facts), specversion: '1.0' } }
}
