// knative/: the values that come from the functions, and the manifests of each environment.
//
// R1  The same sources give the same bytes. The chart is rendered from a copy, so nothing is written before all is known.
// R2  Where there is no Helm, the manifests are left as they are, and the fingerprint of the chart says whether they are out
//     of date.

import { createHash } from 'node:crypto'
import { cpSync, globSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { parse, stringify } from 'yaml'
import type { AnyFunction } from '../../shared/function/index.ts'
import { checkPlans, checkVariables, type Plans } from './check-plans.ts'
import { findHelm, type Helm } from './helm.ts'
import { planFunction } from './plan-function.ts'
import { planTopics } from './plan-topics.ts'
import { splitManifests } from './split-manifests.ts'

const environments = ['dev', 'production'] as const
const chartFolder = 'knative'
export const renderedFolder = 'knative/rendered'
const functionsFile = 'files/functions.yaml'
const namespace = 'sluice'

const notice = `# Written by sluice render from functions/*/function.ts and shared/events/topics.ts. Change those, not this file.
# What an installation may change stands in values.yaml, under functions.
`

export interface RenderedChart {
  /** What there must be, by path from the root. */
  readonly files: ReadonlyMap<string, string>
  /** False: without Helm the manifests are not known, only whether they are of this chart. */
  readonly hasManifests: boolean
}

/** @throws SluiceError `invalid_definition`, `invalid_option`, or `start_failed` with what Helm said. */
export function renderChart(
  root: string,
  definitions: readonly AnyFunction[],
  helm: Helm | 'none' = findHelm(root) ?? 'none',
): RenderedChart {
  const plans = plansOf(definitions)
  checkPlans(plans)
  const values = stringify(plans, { lineWidth: 0 })
  const chart = copyOfChart(root, notice + values)
  try {
    for (const environment of environments) checkValues(join(chart, valuesFile(environment)))
    const files = new Map([
      [`${chartFolder}/${functionsFile}`, notice + values],
      [`${renderedFolder}/made-from.sha256`, fingerprintOf(chart)],
    ])
    if (helm === 'none') return { files, hasManifests: false }
    for (const environment of environments) {
      for (const [file, text] of splitManifests(manifestsOf(helm, chart, environment)))
        files.set(`${renderedFolder}/${environment}/${file}`, text)
    }
    return { files, hasManifests: true }
  } finally {
    rmSync(chart, { recursive: true, force: true })
  }
}

function plansOf(definitions: readonly AnyFunction[]): Plans {
  const functions = Object.fromEntries(definitions.map((definition) => [definition.name, planFunction(definition)]))
  return { functions, topics: planTopics() }
}

const valuesFile = (environment: string): string => `values-${environment}.yaml`

/** With the functions as they are now. */
function copyOfChart(root: string, functions: string): string {
  const copy = mkdtempSync(join(tmpdir(), 'sluice-chart-'))
  const isChart = (file: string): boolean => !/^(rendered|README\.md)/.test(relative(join(root, chartFolder), file))
  cpSync(join(root, chartFolder), copy, { recursive: true, filter: isChart })
  writeFileSync(join(copy, functionsFile), functions)
  return copy
}

const manifestsOf = (helm: Helm, chart: string, environment: string): string =>
  helm.template({ chart, release: 'sluice', namespace, valuesFile: join(chart, valuesFile(environment)) })

function fingerprintOf(chart: string): string {
  const hash = createHash('sha256')
  const files = globSync('**/*', { cwd: chart }).filter((file) => statSync(join(chart, file)).isFile())
  for (const file of files.toSorted()) hash.update(`${file}\n`).update(readFileSync(join(chart, file)))
  return `${hash.digest('hex')}\n`
}

interface Values {
  readonly env?: Readonly<Record<string, unknown>>
  readonly functions?: Readonly<Record<string, { readonly env?: Readonly<Record<string, unknown>> }>>
}

function checkValues(file: string): void {
  const { env = {}, functions = {} } = parse(readFileSync(file, 'utf8')) as Values
  const ofFunctions = Object.values(functions).flatMap((one) => Object.keys(one.env ?? {}))
  checkVariables(file, [...Object.keys(env), ...ofFunctions])
}
