// A provider that has a schema and nothing behind it, served over Terraform's plugin protocol on loopback. Terraform finds it through
// TF_REATTACH_PROVIDERS, so that init, validate, test, plan, apply and output run offline and unchanged, against the schema of the real one.
// It finds unknown types, attributes and outputs, and wrong types; not what the real provider validates in code (names of classes,
// ARNs, conflicts): the rules over the plan and `validation` blocks are for those.

import { fileURLToPath } from 'node:url'
import { Server, ServerCredentials, loadPackageDefinition, type ServiceClientConstructor } from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { ExtensionCodec, decode, encode } from '@msgpack/msgpack'
import { Unknown, fillIn, isWriteOnly, madeUpValue, unknownValue, type Value } from './made-up-values.ts'
import type { Block, ProviderSchema } from './schema.ts'

export interface ProviderStub {
  /** For every terraform command, `init` and `show` too. */
  readonly env: Readonly<Record<string, string>>
  stop(): void
}

interface DynamicValue {
  readonly msgpack?: Uint8Array
  readonly json?: Uint8Array
}

interface StubRequest {
  readonly type_name: string
  readonly config: DynamicValue
  readonly raw_state: { readonly json: Uint8Array }
  readonly current_state: DynamicValue
  readonly proposed_new_state: DynamicValue
  readonly planned_state: DynamicValue
}

/** What data sources answer beside made-up values. */
const answers: Readonly<Record<string, Readonly<Record<string, Value>>>> = {
  aws_availability_zones: {
    names: ['eu-west-1a', 'eu-west-1b', 'eu-west-1c'],
    zone_ids: ['euw1-az1', 'euw1-az2', 'euw1-az3'],
  },
  aws_caller_identity: { account_id: '123456789012' },
  aws_partition: { partition: 'aws', dns_suffix: 'amazonaws.com' },
  aws_region: { name: 'eu-west-1', region: 'eu-west-1' },
}

export async function startProviderStub(schema: ProviderSchema, source = 'hashicorp/aws'): Promise<ProviderStub> {
  const server = new Server({ 'grpc.max_receive_message_length': -1, 'grpc.max_send_message_length': -1 })
  server.addService(providerService(), implementation(schema))
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) resolve(bound)
      else reject(error)
    })
  })
  const attached = {
    Protocol: 'grpc',
    ProtocolVersion: 5,
    Pid: process.pid,
    Test: true,
    Addr: { Network: 'tcp', String: `127.0.0.1:${port}` },
  }
  return {
    env: {
      TF_REATTACH_PROVIDERS: JSON.stringify({ [source]: attached }),
      TF_CLI_CONFIG_FILE: '/dev/null', // a machine's own settings stay out
      TF_IN_AUTOMATION: '1',
      CHECKPOINT_DISABLE: '1',
    },
    stop: () => server.forceShutdown(),
  }
}

function providerService() {
  const path = fileURLToPath(new URL('plugin-v5.proto', import.meta.url))
  const loaded = loadPackageDefinition(loadSync(path, { keepCase: true, longs: Number }))
  return (loaded['tfplugin5'] as unknown as { readonly Provider: ServiceClientConstructor }).Provider.service
}

function implementation(schema: ProviderSchema) {
  const resource = (type: string): Block => blockOf(schema.resource_schemas, type)
  return {
    GetSchema: answering(() => ({
      provider: schemaMessage(schema.provider.block),
      resource_schemas: messages(schema.resource_schemas),
      data_source_schemas: messages(schema.data_source_schemas),
      server_capabilities: {},
    })),
    PrepareProviderConfig: answering(({ config }) => ({ prepared_config: config })),
    ValidateResourceTypeConfig: answering(() => ({})),
    ValidateDataSourceConfig: answering(() => ({})),
    UpgradeResourceState: answering(({ raw_state }) => ({
      upgraded_state: written(JSON.parse(Buffer.from(raw_state.json).toString('utf8'))),
    })),
    Configure: answering(() => ({})),
    ReadResource: answering(({ current_state }) => ({ new_state: current_state })),
    PlanResourceChange: answering(({ type_name, proposed_new_state: proposed }) => {
      const value = read(proposed)
      if (value === null) return { planned_state: proposed }
      return {
        planned_state: written(fillIn({ block: resource(type_name) }, value, unknownValue)),
        legacy_type_system: true,
      }
    }),
    ApplyResourceChange: answering(({ type_name, planned_state: planned }) => {
      const value = read(planned)
      if (value === null) return { new_state: planned }
      return {
        new_state: written(fillIn({ block: resource(type_name), path: type_name }, value, madeUpValue)),
        legacy_type_system: true,
      }
    }),
    ReadDataSource: answering(({ type_name, config }) => {
      const value = { ...(read(config) as object), ...answersOf(type_name, read(config)) }
      return {
        state: written(
          fillIn({ block: blockOf(schema.data_source_schemas, type_name), path: type_name }, value, madeUpValue),
        ),
      }
    }),
    Stop: answering(() => ({})),
  }
}

/** A policy document is what its statements say, so that rules over the plan and outputs see the real thing. */
function answersOf(type: string, config: Value): Readonly<Record<string, Value>> {
  if (type === 'aws_iam_policy_document') return { json: policyDocument(config as PolicyConfig) }
  return answers[type] ?? {}
}

interface PolicyConfig {
  readonly statement?: readonly PolicyStatement[] | null
}

interface PolicyStatement {
  readonly sid?: string | null
  readonly effect?: string | null
  readonly actions?: readonly string[] | null
  readonly resources?: readonly string[] | null
  readonly principals?: readonly { readonly type: string; readonly identifiers: readonly string[] }[]
  readonly condition?: readonly {
    readonly test: string
    readonly variable: string
    readonly values: readonly string[]
  }[]
}

function policyDocument({ statement }: PolicyConfig): string {
  const statements = (statement ?? []).map(({ sid, effect, actions, resources, principals = [], condition = [] }) => ({
    ...(typeof sid === 'string' && sid !== '' ? { Sid: sid } : {}),
    Effect: effect ?? 'Allow',
    Action: actions ?? [],
    Resource: resources ?? [],
    ...(principals.length === 0
      ? {}
      : { Principal: Object.fromEntries(principals.map(({ type, identifiers }) => [type, identifiers])) }),
    ...(condition.length === 0
      ? {}
      : {
          Condition: Object.fromEntries(condition.map(({ test, variable, values }) => [test, { [variable]: values }])),
        }),
  }))
  return JSON.stringify({ Version: '2012-10-17', Statement: statements })
}

function blockOf(schemas: ProviderSchema['resource_schemas'], type: string): Block {
  const found = schemas[type]
  if (found === undefined) throw new Error(`the stub has no schema for ${type}; add it to aws-types.ts`)
  return found.block
}

type Call = { readonly request: StubRequest }
type Callback = (error: null, answer: object) => void

/** Whatever throws becomes a diagnostic, which Terraform prints. */
const answering = (answer: (request: StubRequest) => object) => (call: Call, callback: Callback) => {
  try {
    callback(null, answer(call.request))
  } catch (error) {
    const detail = error instanceof Error ? (error.stack ?? error.message) : String(error)
    callback(null, { diagnostics: [{ severity: 1, summary: 'provider stub', detail }] })
  }
}

const codec = new ExtensionCodec()
codec.register({
  type: 0,
  encode: (value) => (value instanceof Unknown ? new Uint8Array([0]) : null),
  decode: () => new Unknown(),
})
codec.register({ type: 12, encode: () => null, decode: () => new Unknown() }) // unknown, with what is known about it

function read({ msgpack, json }: DynamicValue): Value {
  if (msgpack !== undefined && msgpack.length > 0) return decode(msgpack, { extensionCodec: codec })
  return json !== undefined && json.length > 0 ? JSON.parse(Buffer.from(json).toString('utf8')) : null
}

const written = (value: Value): DynamicValue => ({ msgpack: Buffer.from(encode(value, { extensionCodec: codec })) })

const nesting = { single: 1, list: 2, set: 3, map: 4 }

const schemaMessage = (block: Block): object => ({ version: 0, block: blockMessage(block) })

const messages = (schemas: ProviderSchema['resource_schemas']): object =>
  Object.fromEntries(Object.entries(schemas).map(([type, { block }]) => [type, schemaMessage(block)]))

function blockMessage({ attributes, block_types }: Block): object {
  return {
    attributes: Object.entries(attributes).map(([name, { type, required, optional, computed }]) => ({
      name,
      type: Buffer.from(JSON.stringify(type)),
      required: required ?? false,
      optional: optional ?? false,
      computed: computed ?? false,
      write_only: isWriteOnly(name),
    })),
    block_types: Object.entries(block_types).map(([type_name, { block, nesting_mode, min_items, max_items }]) => ({
      type_name,
      block: blockMessage(block),
      nesting: nesting[nesting_mode],
      min_items: min_items ?? 0,
      max_items: max_items ?? 0,
    })),
  }
}
