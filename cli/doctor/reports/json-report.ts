// The report for programs. Its shape stays: a newer version only adds fields.

import type { Diagnosis } from './text-report.ts'
import { shownFile } from './text-report.ts'

export function jsonReport({ files, manifests, rules, findings }: Diagnosis): string {
  const report = {
    files,
    objects: manifests,
    rules: rules.length,
    findings: findings.map(({ place, ...finding }) => ({
      ...finding,
      file: shownFile(place.file),
      line: place.line,
      column: place.column,
      references: rules.find(({ id }) => id === finding.rule)?.references ?? [],
    })),
  }
  return JSON.stringify(report, null, 2)
}
