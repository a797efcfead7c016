// The schema of a provider, in the form in which `terraform providers schema -json` prints it.

import { readFileSync } from 'node:fs'

/** "string", ["list", T], ["object", { name: T }] and so on: Terraform's own notation. */
export type AttributeType =
  | 'string'
  | 'number'
  | 'bool'
  | 'dynamic'
  | readonly ['list' | 'set' | 'map', AttributeType]
  | readonly ['object', Readonly<Record<string, AttributeType>>]

export interface Attribute {
  readonly type: AttributeType
  readonly required?: true
  readonly optional?: true
  readonly computed?: true
}

export interface NestedBlock {
  readonly nesting_mode: 'single' | 'list' | 'set' | 'map'
  readonly block: Block
  readonly min_items?: number
  readonly max_items?: number
}

export interface Block {
  readonly attributes: Readonly<Record<string, Attribute>>
  readonly block_types: Readonly<Record<string, NestedBlock>>
}

export interface ProviderSchema {
  /** Of the provider that it was taken from. */
  readonly version: string
  readonly provider: { readonly block: Block }
  readonly resource_schemas: Readonly<Record<string, { readonly block: Block }>>
  readonly data_source_schemas: Readonly<Record<string, { readonly block: Block }>>
}

export function readAwsSchema(): ProviderSchema {
  return JSON.parse(readFileSync(new URL('aws-schema.json', import.meta.url), 'utf8')) as ProviderSchema
}
