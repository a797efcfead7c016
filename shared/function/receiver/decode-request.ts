// From a request to an event, by the codec of shared/events. A raw record of a KafkaSource has no type of its own: it is
// bound to the type that the function consumes on its topic, where that is the only one.

import type { IncomingHttpHeaders } from 'node:http'
import { decodeHttpEvent, type Decoded } from '../../events/index.ts'
import { isAnyEvent, type Consumes, type Consumption } from '../contract.ts'

export type DecodeRequest = (headers: IncomingHttpHeaders, body: Buffer) => Decoded

export function createDecodeRequest(consumes: Consumes): DecodeRequest {
  const binding = { bind: isAnyEvent(consumes) ? () => 'any' as const : bindOnlyType(consumes) }
  return (headers, body) => decodeHttpEvent({ headers, body }, binding)
}

const bindOnlyType = (consumes: readonly Consumption[]) => (topic: string) => {
  const [only, another] = consumes.filter((consumed) => consumed.topic.name === topic)
  return another === undefined ? only?.type : undefined
}
