// Every way to render the chart that a check should see: each values file, each on/off value turned, each choice of an enum taken.
//
// V1  A value that turns something on finds what it needs in companion-values.yaml, so that what is rendered has content.

import { existsSync, globSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { parse } from 'yaml'
import { isObject, listAt, objectAt, valueAt, type JsonObject, type Path } from '../../../cli/doctor/manifest.ts'

export interface Variant {
  readonly name: string
  /** Of helm: -f and --set. */
  readonly args: readonly string[]
  /** Entries of Knative's config-features that this installation relies on. */
  readonly features: readonly string[]
}

const here = 'test/checks/knative'
const minimal = join(here, 'minimal-values.yaml')
const companions = join(here, 'companion-values.yaml')

/** Choices that the chart takes only together. */
const inseparable: Readonly<Record<string, readonly string[]>> = {
  'autoscaling.class=hpa.autoscaling.knative.dev': ['autoscaling.metric=cpu'],
  'autoscaling.metric=cpu': ['autoscaling.class=hpa.autoscaling.knative.dev'],
  'autoscaling.metric=memory': ['autoscaling.class=hpa.autoscaling.knative.dev'],
}

export function chartVariants(root: string): readonly Variant[] {
  const chart = join(root, 'knative')
  const defaults = read(join(chart, 'values.yaml'))
  const schema = existsSync(join(chart, 'values.schema.json')) ? read(join(chart, 'values.schema.json')) : {}
  const withCompanions = merge(defaults, read(join(root, companions)))
  const files = globSync('values-*.yaml', { cwd: chart }).toSorted()
  const switches = booleansOf(withCompanions, [])
  const base = ['-f', minimal, '-f', companions]
  const variant = (name: string, args: readonly string[], values: JsonObject): Variant => ({
    name,
    args,
    features: featuresOf(values),
  })
  return [
    variant('only what is required', ['-f', minimal], defaults),
    ...files.map((file) => {
      const given = join('knative', file)
      const own = read(join(root, given))
      return variant(basename(file, '.yaml'), ['-f', minimal, '-f', given], merge(defaults, own))
    }),
    variant('companions', base, withCompanions),
    ...[true, false].map((value) => {
      const sets = switches.flatMap(({ path }) => ['--set', `${keyOf(path)}=${value}`])
      const values = switches.reduce((all, { path }) => merge(all, nest(path, value)), withCompanions)
      return variant(`everything ${value ? 'on' : 'off'}`, [...base, ...sets], values)
    }),
    ...switches.map(({ path, value }) =>
      variant(
        `${keyOf(path)}=${!value}`,
        [...base, '--set', `${keyOf(path)}=${!value}`],
        merge(withCompanions, nest(path, !value)),
      ),
    ),
    ...choicesOf(schema, []).flatMap(({ path, choices }) =>
      choices.map((choice) => {
        const set = `${keyOf(path)}=${choice}`
        const sets = [set, ...(inseparable[set] ?? [])].flatMap((value) => ['--set', value])
        return variant(set, [...base, ...sets], withCompanions)
      }),
    ),
  ]
}

const read = (file: string): JsonObject => objectAt(parse(readFileSync(file, 'utf8')), [])

interface Switch {
  readonly path: Path
  readonly value: boolean
}

function booleansOf(value: unknown, path: Path): readonly Switch[] {
  if (typeof value === 'boolean' && !isSecurity(path)) return [{ path, value }]
  if (!isObject(value)) return []
  return Object.entries(value).flatMap(([name, inner]) => booleansOf(inner, [...path, name]))
}

/** These are no switches of the chart: they are handed to the pod as they are, and off would be insecure. */
const isSecurity = (path: Path): boolean => /securitycontext/i.test(String(path[0]))

interface Choice {
  readonly path: Path
  readonly choices: readonly string[]
}

function choicesOf(schema: unknown, path: Path): readonly Choice[] {
  const choices = listAt(schema, ['enum']).filter((choice) => typeof choice === 'string')
  if (choices.length > 0) return [{ path, choices: choices.filter((choice) => choice !== '') }]
  return Object.entries(objectAt(schema, ['properties'])).flatMap(([name, inner]) => choicesOf(inner, [...path, name]))
}

/** The chart's own names of the gates say the feature: podspecNodeSelector is kubernetes.podspec-nodeselector. */
const featuresOf = (values: JsonObject): readonly string[] =>
  Object.entries(objectAt(values, ['featureGates'])).flatMap(([name, on]) =>
    on === true ? [`kubernetes.podspec-${name.replace(/^podspec/, '').toLowerCase()}`] : [],
  )

const keyOf = (path: Path): string => path.map((step) => String(step).replaceAll('.', '\\.')).join('.')

const nest = (path: Path, value: unknown): JsonObject => {
  const [first = '', ...rest] = path
  return { [String(first)]: rest.length === 0 ? value : nest(rest, value) }
}

function merge(left: JsonObject, right: JsonObject): JsonObject {
  const merged = Object.entries(right).map(([name, value]) => {
    const before = valueAt(left, [name])
    return [name, isObject(before) && isObject(value) ? merge(before, value) : value] as const
  })
  return { ...left, ...Object.fromEntries(merged) }
}
