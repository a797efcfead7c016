import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Ajv } from 'ajv'
import addFormats from 'ajv-formats'
import specs from '@asyncapi/specs'
import { asyncApi } from '../../cli/asyncapi.ts'
import { installedFunctions } from '../../local/platform/index.ts'
import { allTopics, eventTypes } from '../../shared/events/index.ts'
import { projectRoot } from '../support/index.ts'

const document = asyncApi(projectRoot, await installedFunctions(projectRoot))

/** What a pointer of the document leads to. */
const at = (pointer: string): unknown =>
  pointer
    .slice(2)
    .split('/')
    .reduce<unknown>((value, part) => (value as Record<string, unknown> | undefined)?.[part], document)

function references(value: unknown): readonly string[] {
  if (typeof value !== 'object' || value === null) return []
  const own = '$ref' in value ? [String(value.$ref)] : []
  return [...own, ...Object.values(value).flatMap(references)]
}

const ajv = addFormats.default(new Ajv({ strict: false }))
// The schema brings draft-07 along under its own name.
const isAsyncApi = addFormats
  .default(new Ajv({ strict: false, meta: false, validateSchema: false }))
  .compile(specs.schemas['3.0.0'] as object)

test('the document is valid AsyncAPI 3, by the schema of the AsyncAPI initiative', () => {
  assert.ok(isAsyncApi(JSON.parse(JSON.stringify(document))), JSON.stringify(isAsyncApi.errors?.slice(0, 3), null, 2))
})

test('the schema bites: an unknown field and a wrong action are found', () => {
  assert.equal(isAsyncApi({ ...document, topics: {} }), false)
  assert.equal(isAsyncApi({ ...document, operations: { wrong: { action: 'consume', channel: { $ref: '#/channels/x' } } } }), false) // prettier-ignore
})

test('every reference leads somewhere', () => {
  const found = references(document)
  assert.ok(found.length > 50, `only ${found.length} references`)
  assert.deepEqual(
    found.filter((pointer) => at(pointer) === undefined),
    [],
  )
})

test('there is a channel for each topic, a message for each type, and an operation for each way a function uses a topic', () => {
  const { channels, components, operations } = document as {
    readonly channels: Record<string, unknown>
    readonly operations: Record<
      string,
      { readonly action: string; readonly messages: readonly { readonly $ref: string }[] }
    >
    readonly components: { readonly messages: Record<string, { readonly payload: object; readonly examples: readonly { readonly payload: unknown }[] }> } // prettier-ignore
  }
  assert.deepEqual(
    Object.keys(channels),
    allTopics.map(({ name }) => name),
  )
  assert.deepEqual(Object.keys(components.messages).toSorted(), eventTypes.map(({ type }) => type).toSorted())
  assert.deepEqual(operations['tool-executor.receive.tool.requests']?.messages, [
    { $ref: '#/channels/tool.requests/messages/tool.call.requested.v1' },
  ])
  assert.equal(operations['tool-executor.send.tool.results']?.action, 'send')
  assert.equal(operations['conversation-worker.receive.conversation.inbound']?.messages.length, 2)
  for (const [type, { payload, examples }] of Object.entries(components.messages)) {
    const fits = ajv.compile(payload)
    assert.ok(
      examples.length > 0 && examples.every((example) => fits(example.payload)),
      `${type}: an example does not fit`,
    )
  }
})

test('what is committed is what the functions say', () => {
  const committed = JSON.parse(readFileSync(join(projectRoot, 'schemas', 'asyncapi.json'), 'utf8')) as unknown
  assert.deepEqual(committed, JSON.parse(JSON.stringify(document)))
})
