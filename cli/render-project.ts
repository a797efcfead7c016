// Everything that is computed from the functions, the topics and the options, and what of it is out of date.

import { existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { installedFunctions } from '../local/platform/index.ts'
import type { AnyFunction } from '../shared/function/index.ts'
import { asyncApi, asyncApiFile } from './asyncapi.ts'
import { proveFunction, refuseUnproven, type Proven } from './knative/prove-function.ts'
import { renderChart, renderedFolder } from './knative/render-chart.ts'
import { functionsFile, functionsInput, topicsFile, topicsInput } from './terraform-inputs.ts'

export interface ProvenFunction {
  readonly definition: AnyFunction
  readonly proven: readonly Proven[]
}

export interface Rendering {
  /** Content by path from the root. */
  readonly files: ReadonlyMap<string, string>
  readonly functions: readonly ProvenFunction[]
  /** False: there is no Helm here, so the manifests are neither written nor compared. */
  readonly hasManifests: boolean
}

/** Writes nothing. @throws SluiceError `budget_violated`, `invalid_definition`, `invalid_option`, `start_failed`. */
export async function renderProject(root: string): Promise<Rendering> {
  const definitions = await installedFunctions(root)
  const functions = definitions.map((definition) => ({ definition, proven: proveFunction(definition) }))
  for (const { definition, proven } of functions) refuseUnproven(definition, proven)
  const { files, hasManifests } = renderChart(root, definitions)
  return {
    functions,
    hasManifests,
    files: new Map([
      ...files,
      [asyncApiFile, json(asyncApi(root, definitions))],
      [topicsFile, json(topicsInput())],
      [functionsFile, json(functionsInput(definitions))],
    ]),
  }
}

const json = (value: object): string => `${JSON.stringify(value, null, 2)}\n`

export interface Drift {
  /** Missing, or with other content. */
  readonly stale: readonly string[]
  /** Below knative/rendered, and of no function any more. */
  readonly leftOver: readonly string[]
}

export function driftOf(root: string, { files, hasManifests }: Rendering): Drift {
  const isCurrent = (file: string, text: string): boolean =>
    existsSync(join(root, file)) && readFileSync(join(root, file), 'utf8') === text
  const present = hasManifests ? globSync(`${renderedFolder}/*/**/*.{yaml,txt}`, { cwd: root }) : []
  return {
    stale: [...files].filter(([file, text]) => !isCurrent(file, text)).map(([file]) => file),
    leftOver: present.filter((file) => !files.has(file)).toSorted(),
  }
}

export function writeRendering(root: string, { files }: Rendering, { stale, leftOver }: Drift): void {
  for (const file of stale) {
    mkdirSync(dirname(join(root, file)), { recursive: true })
    writeFileSync(join(root, file), files.get(file) ?? '')
  }
  for (const file of leftOver) rmSync(join(root, file))
}
