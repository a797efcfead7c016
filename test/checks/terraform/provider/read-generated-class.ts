// Reads one compiled class of the npm package @cdktf/provider-aws as text, and says what the provider's schema has there.
// That package was generated from the schema of hashicorp/aws and is where it can be had without the provider itself.
//
// What it does not say: which optional attributes are also computed (aws-types.ts lists them), defaults, conflicts, validators.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Attribute, AttributeType, Block, NestedBlock } from './schema.ts'

export interface GeneratedClass {
  readonly kind: 'resource' | 'data source' | 'provider'
  /** aws_vpc; empty for the provider. */
  readonly type: string
  readonly version: string
  readonly block: Block
}

interface Parts {
  /** Bodies of classes, of the functions that write HCL, and of interfaces, by name. */
  readonly classes: ReadonlyMap<string, string>
  readonly writers: ReadonlyMap<string, string>
  readonly interfaces: ReadonlyMap<string, string>
}

const kinds = { Resource: 'resource', DataSource: 'data source', Provider: 'provider' } as const

/** @throws Error when the folder holds no such class: the package has changed. */
export function readGeneratedClass(
  folder: string,
  optionalAndComputed: (type: string) => readonly string[],
): GeneratedClass {
  const code = readFileSync(join(folder, 'index.js'), 'utf8')
  const declarations = readFileSync(join(folder, 'index.d.ts'), 'utf8')
  const top = /^class (\w+) extends cdktf\.Terraform(Resource|DataSource|Provider) \{/m.exec(code)
  if (top === null) throw new Error(`${folder} has no class of a resource, data source or provider`)
  const [, name = '', kind = ''] = top
  const type = /terraformResourceType: '(aws_[a-z0-9_]+)'/.exec(code)?.[1] ?? ''
  const parts = {
    classes: bodies(code, /^class (\w+) extends [^\n]*\{\n([\s\S]*?)^\}/gm),
    writers: bodies(code, /^function (\w+)ToHclTerraform\(struct\) \{\n([\s\S]*?)^\}/gm),
    interfaces: bodies(declarations, /^export interface (\w+)[^\n]*\{\n([\s\S]*?)^\}/gm),
  }
  const body = parts.classes.get(name) ?? ''
  const block = blockOf(parts, {
    body,
    written: body.slice(body.indexOf('synthesizeHclAttributes')),
    declared: parts.interfaces.get(`${name}Config`) ?? '',
    computed: new Set(optionalAndComputed(type)),
    path: '',
  })
  const identified = kind === 'Provider' ? block : withId(block)
  return {
    kind: kinds[kind as keyof typeof kinds],
    type,
    version: /providerVersion: '([\d.]+)'/.exec(code)?.[1] ?? '',
    block: identified,
  }
}

function bodies(text: string, pattern: RegExp): ReadonlyMap<string, string> {
  return new Map([...text.matchAll(pattern)].map(([, name = '', body = '']) => [name, body]))
}

function withId(block: Block): Block {
  return {
    ...block,
    attributes: { id: { type: 'string', optional: true, computed: true }, ...block.attributes },
  }
}

interface Place {
  readonly body: string
  /** The code that writes what a configuration sets. */
  readonly written: string
  readonly declared: string
  readonly computed: ReadonlySet<string>
  /** "encryption_info." inside that block. */
  readonly path: string
}

function blockOf(parts: Parts, place: Place): Block {
  const { required, blocks } = declaredIn(place.declared)
  const attributes: Record<string, Attribute> = {}
  const block_types: Record<string, NestedBlock> = {}
  for (const { name, kind, storage } of settable(place.written)) {
    const type = plainType(kind, storage)
    const isComputed = place.computed.has(place.path + name) || (place.path === '' && place.computed.has(name))
    const flags: Omit<Attribute, 'type'> = required.has(name)
      ? { required: true }
      : { optional: true, ...(isComputed ? { computed: true } : {}) }
    if (type !== undefined) {
      attributes[name] = { type: place.path === '' ? type : withoutDynamic(type), ...flags }
      continue
    }
    const child = kind === 'struct' ? storage : storage.replace(/List$|Map$/, '')
    const inner = blockOf(parts, childPlace(parts, child, { computed: place.computed, path: `${place.path}${name}.` }))
    if (blocks.has(name)) {
      block_types[name] = {
        nesting_mode: kind === 'struct' ? 'single' : (kind as NestedBlock['nesting_mode']),
        block: inner,
        ...(required.has(name) ? { min_items: 1 } : {}),
        ...(kind !== 'struct' && place.body.includes(`new ${child}OutputReference(this, "${name}"`)
          ? { max_items: 1 }
          : {}),
      }
    } else {
      const object = ['object', objectType(inner)] as const
      attributes[name] = { type: kind === 'struct' ? object : collection(kind, object), ...flags }
    }
  }
  for (const [name, type] of computedOnly(parts, place)) attributes[name] ??= { type, computed: true }
  return { attributes, block_types }
}

const childPlace = (parts: Parts, name: string, at: Pick<Place, 'computed' | 'path'>): Place => ({
  ...at,
  body: parts.classes.get(`${name}OutputReference`) ?? '',
  written: parts.writers.get(lowerFirst(name)) ?? '',
  declared: parts.interfaces.get(name) ?? '',
})

/** The interface says what must be given, and its comments say what is a block. */
function declaredIn(text: string): { readonly required: ReadonlySet<string>; readonly blocks: ReadonlySet<string> } {
  const required = new Set<string>()
  const blocks = new Set<string>()
  for (const [, comment = '', optional] of text.matchAll(/\/\*\*\n([\s\S]*?)\*\/\n\s+readonly \w+(\??):/g)) {
    const name = /#([a-z0-9_]+) \w+#/.exec(comment)?.[1]
    if (name === undefined) continue
    if (optional === '') required.add(name)
    if (/^\s+\* [a-z0-9_]+ block$/m.test(comment)) blocks.add(name)
  }
  return { required, blocks }
}

interface Settable {
  readonly name: string
  readonly kind: string
  readonly storage: string
}

function settable(text: string): readonly Settable[] {
  const pattern =
    /^\s+([a-z0-9_]+): \{\n\s+value: [^\n]*\n\s+isBlock: (?:true|false),\n\s+type: "(\w+)",\n\s+storageClassType: "(\w+)",/gm
  return [...text.matchAll(pattern)].map(([, name = '', kind = '', storage = '']) => ({ name, kind, storage }))
}

const plain: Readonly<Record<string, AttributeType>> = {
  string: 'string',
  number: 'number',
  boolean: 'bool',
  any: 'dynamic',
}

/** Undefined for a struct. "stringListMap" is a map of lists of strings. */
function collection(kind: string, of: AttributeType): AttributeType {
  if (kind === 'list' || kind === 'set' || kind === 'map') return [kind, of]
  throw new Error(`the class has a collection of an unknown kind: ${kind}`)
}

function plainType(kind: string, storage: string): AttributeType | undefined {
  const [, element = '', wraps = ''] = /^(string|number|boolean|any)((?:Map|List)*)$/.exec(storage) ?? []
  const type = plain[element]
  if (type === undefined) return undefined
  const names = wraps.match(/Map|List/g) ?? []
  return names.reduce<AttributeType>((inner, wrap, index) => {
    const list = kind === 'set' && index === names.length - 1 ? 'set' : 'list'
    return [wrap === 'Map' ? 'map' : list, inner]
  }, type)
}

/** Terraform refuses "dynamic" inside sets and lists of objects. */
function withoutDynamic(type: AttributeType): AttributeType {
  if (typeof type === 'string') return type === 'dynamic' ? 'string' : type
  if (type[0] !== 'object') return [type[0], withoutDynamic(type[1])]
  return ['object', Object.fromEntries(Object.entries(type[1]).map(([name, inner]) => [name, withoutDynamic(inner)]))]
}

const getters: Readonly<Record<string, AttributeType>> = {
  String: 'string',
  Number: 'number',
  Boolean: 'bool',
  StringMap: ['map', 'string'],
  NumberMap: ['map', 'number'],
  BooleanMap: ['map', 'bool'],
  List: ['list', 'string'],
  NumberList: ['list', 'number'],
  AnyMap: ['map', 'dynamic'],
}

/** What only the provider sets: getters marked so, of plain values and of objects. */
function computedOnly(parts: Parts, { body, computed, path }: Place): readonly (readonly [string, AttributeType])[] {
  const mark = String.raw`\/\/ ([a-z0-9_]+) - computed: true, optional: false, required: false\n\s+`
  const value = new RegExp(
    `${mark}get \\w+\\(\\) \\{\\n\\s+return (cdktf\\.Fn\\.tolist\\()?\\(?this\\.get(\\w+?)Attribute\\(`,
    'g',
  )
  const object = new RegExp(
    `${mark}this\\._\\w+ = new (?:cdktf\\.)?(\\w+)\\(this, "[a-z0-9_]+"(?:, (true|false))?\\)`,
    'g',
  )
  const values = [...body.matchAll(value)].map(([, name = '', asSet, getter = '']) => {
    const type = getters[getter] ?? 'string'
    return [name, asSet !== undefined && Array.isArray(type) ? ['set', type[1] as AttributeType] : type] as const
  })
  const objects = [...body.matchAll(object)].map(([, name = '', className = '', isSet]) => {
    const simple = /^(String|Number|Boolean|Any)Map$/.exec(className)
    if (simple !== null) return [name, getters[className] ?? 'string'] as const
    const child = className.replace(/OutputReference$|List$|Map$/, '')
    const inner = [
      'object',
      objectType(blockOf(parts, childPlace(parts, child, { computed, path: `${path}${name}.` }))),
    ] as const
    if (className.endsWith('List')) return [name, [isSet === 'true' ? 'set' : 'list', inner]] as const
    return [name, className.endsWith('Map') ? (['map', inner] as const) : inner] as const
  })
  return [...values, ...objects] as readonly (readonly [string, AttributeType])[]
}

function objectType({ attributes, block_types }: Block): Readonly<Record<string, AttributeType>> {
  const own = Object.entries(attributes).map(([name, { type }]) => [name, type] as const)
  const nested = Object.entries(block_types).map(([name, { nesting_mode, block }]) => {
    const object = ['object', objectType(block)] as const
    return [name, nesting_mode === 'single' ? object : ([nesting_mode, object] as const)] as const
  })
  return Object.fromEntries([...own, ...nested])
}

const lowerFirst = (name: string): string => name.charAt(0).toLowerCase() + name.slice(1)
