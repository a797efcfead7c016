// .sluice/prometheus-targets.json: where the functions of the running platform answer GET /metrics, as Prometheus reads it
// (file_sd_configs). Their ports are others at each start.

import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export const prometheusTargetsPath = (home: string): string => join(home, 'prometheus-targets.json')

/** Readers see the old file or the new one, never half of one. */
export function writePrometheusTargets(home: string, readyUrls: readonly string[]): void {
  const path = prometheusTargetsPath(home)
  mkdirSync(home, { recursive: true, mode: 0o700 })
  writeFileSync(`${path}.new`, `${JSON.stringify([{ targets: readyUrls.map((url) => new URL(url).host) }])}\n`)
  renameSync(`${path}.new`, path)
}

export function removePrometheusTargets(home: string): void {
  rmSync(prometheusTargetsPath(home), { force: true })
}
