// The checks of the chart by what Helm makes of it in every variant: with each switch turned, it is refused where a value is missing,
// the same twice, and right by schema and by Knative's own validation.

import { globSync } from 'node:fs'
import { parseManifests } from '../../../cli/doctor/read-manifests.ts'
import { isSkipped, type Check, type Findings, type Skipped } from '../check.ts'
import { numberIn, run } from '../program.ts'
import { chartVariants, type Variant } from './chart-variants.ts'
import { goTool, goTools } from './go-tools.ts'
import { hasChart, lint, template } from './helm.ts'
import { schemaFolder, validateBySchemas } from './schema-validation.ts'

/** helm takes most of a core. */
const atOnce = 2
const noChart: Skipped = { skipped: 'knative/Chart.yaml does not exist' }

type Judge = (
  variant: Variant,
  rendered: string,
) => Promise<{ readonly read: number; readonly faults: readonly string[] }>

/** What is rendered is the same for every check, so it is rendered once. */
const renderings = new Map<string, Promise<readonly Rendering[]>>()

interface Rendering {
  readonly variant: Variant
  readonly code: number
  readonly output: string
  readonly stdout: string
}

function renderingsOf(root: string): Promise<readonly Rendering[]> {
  const known = renderings.get(root) ?? renderAll(root)
  renderings.set(root, known)
  return known
}

async function renderAll(root: string): Promise<readonly Rendering[]> {
  const variants = chartVariants(root)
  const all: Rendering[] = []
  for (let at = 0; at < variants.length; at += atOnce)
    all.push(
      ...(await Promise.all(
        variants.slice(at, at + atOnce).map(async (variant) => ({ variant, ...(await template(root, variant.args)) })),
      )),
    )
  return all
}

async function overVariants(root: string, each: Judge): Promise<Findings | Skipped> {
  if (!hasChart(root)) return noChart
  const faults: string[] = []
  let read = 0
  for (const { variant, code, output, stdout } of await renderingsOf(root)) {
    const found = code === 0 ? await each(variant, stdout) : { read: 0, faults: [output.trim()] }
    read += found.read
    for (const fault of found.faults) faults.push(`${variant.name}: ${fault}`)
  }
  return { passed: faults.length === 0, read, output: faults.join('\n') }
}

const helmLint: Check = {
  name: 'helm lint --strict',
  least: 2,
  what: 'values files',
  run: async (root) => {
    if (!hasChart(root)) return noChart
    const minimal = 'test/checks/knative/minimal-values.yaml'
    const files = [[], ...globSync('knative/values-*.yaml', { cwd: root }).map((file) => ['-f', file])]
    const runs = await Promise.all(files.map((args) => lint(root, ['-f', minimal, ...args])))
    return {
      passed: runs.every(({ code }) => code === 0),
      read: runs.length,
      output: runs.map(({ output }) => output).join('\n'),
    }
  },
}

const helmTemplate: Check = {
  name: 'helm template',
  least: 20,
  what: 'variants',
  run: (root) =>
    overVariants(root, (_, rendered) => {
      const { manifests, findings } = parseManifests('', rendered)
      const nameless = manifests.filter(({ name, apiVersion }) => name === '' || apiVersion === '')
      return Promise.resolve({
        read: 1,
        faults: [
          ...(manifests.length === 0 ? ['nothing is rendered'] : []),
          ...findings.map(({ message, place }) => `line ${place.line}: ${message}`),
          ...nameless.map(({ kind }) => `a ${kind} without name or apiVersion`),
        ],
      })
    }),
}

const stable: Check = {
  name: 'rendered twice, the same bytes',
  least: 3,
  what: 'variants',
  run: async (root) => {
    if (!hasChart(root)) return noChart
    const first = (await renderingsOf(root)).slice(0, 5)
    const second = await Promise.all(first.map(({ variant }) => template(root, variant.args)))
    const differ = first.filter(({ stdout }, at) => second[at]?.stdout !== stdout).map(({ variant }) => variant.name)
    return { passed: differ.length === 0, read: first.length, output: `not twice the same: ${differ.join(', ')}` }
  },
}

const chartRequires: Check = {
  name: 'helm refuses what is missing',
  least: 3,
  what: 'values',
  run: async (root) => {
    if (!hasChart(root)) return noChart
    const required = ['image.repository=', 'kafka.bootstrapServers=null', 'secrets.database.name=', 'nonsense=1']
    const minimal = ['-f', 'test/checks/knative/minimal-values.yaml']
    const runs = await Promise.all(required.map((value) => template(root, [...minimal, '--set', value])))
    const taken = required.filter((_, at) => runs[at]?.code === 0)
    return {
      passed: taken.length === 0,
      read: required.length,
      output: `rendered all the same with ${taken.join(', ')}`,
    }
  },
}

const schemaCheck: Check = {
  name: 'schemas of the custom resources',
  least: 100,
  what: 'objects',
  run: (root) =>
    overVariants(root, (_, rendered) => {
      const { validated, errors } = validateBySchemas(schemaFolder(root), parseManifests('', rendered).manifests)
      return Promise.resolve({ read: validated, faults: errors })
    }),
}

const knvalidateCheck: Check = {
  name: "Knative's own validation",
  least: 100,
  what: 'objects',
  run: async (root) => {
    const program = await goTool(root, goTools.knvalidate)
    if (isSkipped(program)) return program
    return overVariants(root, async ({ features }, rendered) => {
      const given = features.map((feature) => `${feature}=enabled`).join(',')
      const args = [...(given === '' ? [] : ['-features', given]), '-']
      const { code, output } = await run({ file: program, args, input: rendered })
      const lines = output.split('\n').filter((line) => /: (?:error|warning): /.test(line))
      return { read: numberIn(output, /(\d+) validated/), faults: code === 0 && lines.length === 0 ? [] : lines }
    })
  },
}

export const chartChecks: readonly Check[] = [
  helmLint,
  helmTemplate,
  stable,
  chartRequires,
  schemaCheck,
  knvalidateCheck,
]
