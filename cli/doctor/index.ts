// What is wrong with Knative manifests: read them, judge them by the rules, report.

export { diagnose } from './diagnose.ts'
export { readManifests } from './read-manifests.ts'
export { jsonReport } from './reports/json-report.ts'
export { sarifReport } from './reports/sarif-report.ts'
export { textReport, type Diagnosis } from './reports/text-report.ts'
export { rules } from './rules.ts'
