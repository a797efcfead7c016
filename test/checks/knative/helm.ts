// Helm on the chart in knative/.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { findHelmProgram } from '../../../cli/knative/helm.ts'
import { run, type Ended } from '../program.ts'

/** The chart asks for 1.30 and later; helm would take its own age for that of the cluster. */
const kubeVersion = '1.36.0'

export const hasChart = (root: string): boolean => existsSync(join(root, 'knative', 'Chart.yaml'))

/** Where there is none, it ends with 127 and says so. */
export const helm = (
  root: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Ended> => run({ cwd: root, file: findHelmProgram(root) ?? 'helm', args, env })

export const template = (root: string, args: readonly string[]): Promise<Ended> =>
  helm(root, ['template', 'sluice', 'knative', '--namespace', 'sluice', '--kube-version', kubeVersion, ...args])

export const lint = (root: string, args: readonly string[]): Promise<Ended> =>
  helm(root, ['lint', '--strict', 'knative', '--namespace', 'sluice', ...args])
