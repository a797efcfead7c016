// schemas/asyncapi.json: the events of this project in the language of AsyncAPI 3. A channel for each topic, a message for each
// event type with its schema, an operation for each function and topic it sends to or receives from.

import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { kafkaSourcesOf } from '../local/platform/index.ts'
import { allTopics, topics, type Topic } from '../shared/events/index.ts'
import type { AnyFunction } from '../shared/function/index.ts'
import { planTopics } from './knative/plan-topics.ts'

export const asyncApiFile = 'schemas/asyncapi.json'

type Json = Readonly<Record<string, unknown>>

export function asyncApi(root: string, definitions: readonly AnyFunction[]): Json {
  const { version, description } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Record<
    string,
    string
  >
  return {
    asyncapi: '3.0.0',
    info: { title: 'Sluice', version, description, license: { name: 'Apache-2.0' } },
    defaultContentType: 'application/json',
    channels: Object.fromEntries(allTopics.map((topic) => [topic.name, channelOf(topic)])),
    operations: Object.fromEntries(definitions.flatMap((definition) => operationsOf(definition))),
    components: {
      messages: Object.fromEntries(
        Object.values<Topic>(topics).flatMap((topic) => topic.types.map(({ type }) => [type, messageOf(root, type)])),
      ),
      messageTraits: { cloudEvent: cloudEventTrait },
    },
  }
}

const planned = planTopics()

function channelOf({ name, key, types, partitions }: Topic): Json {
  const { retentionMs = '', cleanupPolicy = 'delete' } = planned[name] ?? {}
  return {
    address: name,
    description: `Key of a record: ${key}.`,
    messages: Object.fromEntries(types.map(({ type }) => [type, reference('components', 'messages', type)])),
    bindings: {
      kafka: {
        topic: name,
        partitions,
        topicConfiguration: { 'cleanup.policy': [cleanupPolicy], 'retention.ms': Number(retentionMs) },
        bindingVersion: '0.5.0',
      },
    },
  }
}

function operationsOf(definition: AnyFunction): readonly (readonly [string, Json])[] {
  const { name, purpose } = definition
  const received = kafkaSourcesOf(definition, '').flatMap(({ spec }) =>
    spec.topics.map((topic) => {
      const types = consumedTypes(definition, topic)
      const operation = operationOf('receive', { topic, types, purpose })
      const groupId = { type: 'string', enum: [spec.consumerGroup] }
      return [
        `${name}.receive.${topic}`,
        { ...operation, bindings: { kafka: { groupId, bindingVersion: '0.5.0' } } },
      ] as const
    }),
  )
  const sentTopics = [...new Set(definition.produces.map(({ topic }) => topic.name))]
  const sent = sentTopics.map((topic) => {
    const types = definition.produces.filter((one) => one.topic.name === topic).map(({ type }) => type.type)
    return [`${name}.send.${topic}`, operationOf('send', { topic, types, purpose })] as const
  })
  return [...received, ...sent]
}

/** Of any event on a topic: all that the topic carries. */
function consumedTypes(definition: AnyFunction, topic: string): readonly string[] {
  if (definition.kind !== 'event') return []
  const { consumes } = definition
  if (!('any' in consumes)) return consumes.filter((one) => one.topic.name === topic).map(({ type }) => type.type)
  return allTopics.filter(({ name }) => name === topic).flatMap(({ types }) => types.map(({ type }) => type))
}

interface OperationFacts {
  readonly topic: string
  readonly types: readonly string[]
  readonly purpose: string
}

const operationOf = (action: 'send' | 'receive', { topic, types, purpose }: OperationFacts): Json => ({
  action,
  summary: purpose,
  channel: reference('channels', topic),
  messages: types.map((type) => reference('channels', topic, 'messages', type)),
})

function messageOf(root: string, type: string): Json {
  const [, name = '', version = ''] = /^(.+)\.(v\d+)$/.exec(type) ?? []
  const folder = join(root, 'schemas', 'events', name)
  const { $schema: _schema, $id: _id, ...payload } = readJson(join(folder, `${version}.schema.json`))
  const examples = globSync('examples/valid-*.json', { cwd: folder }).toSorted()
  return {
    name: type,
    title: payload['title'],
    summary: payload['description'],
    contentType: 'application/json',
    traits: [reference('components', 'messageTraits', 'cloudEvent')],
    payload,
    examples: examples.map((file) => ({
      name: file.replace(/^.*valid-|\.json$/g, ''),
      payload: readJson(join(folder, file)),
    })),
  }
}

/** Binary mode: the attributes are headers of the record. */
const cloudEventTrait: Json = {
  headers: {
    type: 'object',
    required: ['ce_specversion', 'ce_id', 'ce_source', 'ce_type'],
    properties: Object.fromEntries(
      [
        ['ce_specversion', 'Always 1.0.'],
        ['ce_id', 'Unique together with ce_source.'],
        ['ce_source', 'Who made the event.'],
        ['ce_type', 'Name of the message.'],
        ['ce_partitionkey', 'Key of the record.'],
        ['ce_sequence', 'Gapless for each topic and key, from 1.'],
        ['ce_tenant', 'Whose event it is.'],
        ['ce_traceparent', 'W3C trace context.'],
      ].map(([name, description]) => [name, { type: 'string', description }]),
    ),
  },
}

const readJson = (file: string): Record<string, unknown> =>
  JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>

/** A JSON pointer; `/` and `~` in names would need an escape, and no name has them. */
const reference = (...path: readonly string[]): Json => ({ $ref: `#/${path.join('/')}` })
