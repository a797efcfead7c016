// Helm of node_modules, on the chart in knative/.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { tool, type Ended } from '../program.ts'

/** The chart asks for 1.30 and later; helm would take its own age for that of the cluster. */
const kubeVersion = '1.36.0'

export const hasChart = (root: string): boolean => existsSync(join(root, 'knative', 'Chart.yaml'))

const helm = (root: string, args: readonly string[]): Promise<Ended> => tool(root, 'helm', args)

export const template = (root: string, args: readonly string[]): Promise<Ended> =>
  helm(root, ['template', 'sluice', 'knative', '--namespace', 'sluice', '--kube-version', kubeVersion, ...args])

export const lint = (root: string, args: readonly string[]): Promise<Ended> =>
  helm(root, ['lint', '--strict', 'knative', '--namespace', 'sluice', ...args])
