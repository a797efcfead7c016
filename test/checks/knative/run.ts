// `npm run check:knative`: what can be known about chart and manifests without a cluster, each check with what it read.
//   npm run check:knative -- helm planted     only checks whose name contains one of the words
//   npm run check:knative -- --api-server     beside them a real API server with Knative's resources and webhook
// Code 1 when one failed. What cannot run on this machine is named with the reason.

import { projectRoot } from '../../support/places.ts'
import { apiServerCheck } from './api-server/api-server-check.ts'
import { knativeChecks } from './checks.ts'
import { isSkipped, judgeOrSkip } from './knative-check.ts'

const args = process.argv.slice(2)
const words = args.filter((word) => !word.startsWith('--'))
const unknown = args.filter((word) => word.startsWith('--') && word !== '--api-server')
const all = args.includes('--api-server') ? [...knativeChecks, apiServerCheck] : knativeChecks
const chosen = words.length === 0 ? all : all.filter(({ name }) => words.some((word) => name.includes(word)))
if (unknown.length > 0 || chosen.length === 0) {
  console.error(
    `npm run check:knative [-- WORD… --api-server]; the checks are ${all.map(({ name }) => name).join(', ')}`,
  )
  process.exit(2)
}

const started = performance.now()
const counts = { passed: 0, failed: 0, skipped: 0 }
for (const check of chosen) {
  const verdict = await judgeOrSkip(check, projectRoot)
  if (isSkipped(verdict)) {
    counts.skipped += 1
    console.log(`– ${check.name.padEnd(38)} skipped: ${verdict.skipped}`)
    continue
  }
  const { passed, read, what, ms, output } = verdict
  counts[passed ? 'passed' : 'failed'] += 1
  console.log(
    `${passed ? '✔' : '✖'} ${check.name.padEnd(38)} ${`${read} ${what}`.padEnd(18)} ${(ms / 1_000).toFixed(1)} s`,
  )
  if (!passed) console.log(output.trim().replaceAll(/^/gm, '    '))
}
const seconds = ((performance.now() - started) / 1_000).toFixed(1)
console.log(`\n${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped in ${seconds} s`)
process.exitCode = counts.failed === 0 ? 0 : 1
