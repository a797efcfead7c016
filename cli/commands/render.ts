// `sluice render`: the manifests of Knative, AsyncAPI and Terraform's inputs from the definitions, with the proof that every
// budget holds.

import { parseArgs } from 'node:util'
import type { Command } from '../command.ts'
import { projectRoot } from '../project.ts'
import { renderProofs } from '../render-view.ts'
import { renderedFolder } from '../knative/render-chart.ts'
import { driftOf, renderProject, writeRendering, type Drift } from '../render-project.ts'

export const command: Command = {
  summary: 'Writes the manifests for Knative from the functions, and proves their budgets',
  usage: `Usage: sluice render [--check] [--quiet]

Writes what follows from functions/*/function.ts, shared/events/topics.ts and the options: knative/files/functions.yaml,
knative/rendered, schemas/asyncapi.json and infra/terraform/generated. A budget that does not hold is refused.
knative/rendered is what Helm makes of the chart; where there is no Helm it is left alone, and only judged.

  --check   writes nothing; names each file that is out of date, and ends with code 1
  --quiet   only what was written or is out of date, without the proofs`,
  run: async (args) => {
    const { values } = parseArgs({
      args: [...args],
      options: { check: { type: 'boolean', default: false }, quiet: { type: 'boolean', default: false } },
    })
    const rendering = await renderProject(projectRoot)
    const drift = driftOf(projectRoot, rendering)
    if (values.check) return judge(drift)
    if (!values.quiet) console.log(renderProofs(rendering.functions))
    const { stale, leftOver } = rendering.hasManifests ? drift : withoutManifests(drift)
    writeRendering(projectRoot, rendering, { stale, leftOver })
    for (const file of stale) console.log(`written  ${file}`)
    for (const file of leftOver) console.log(`removed  ${file}`)
    console.log(`${rendering.files.size} files, ${stale.length + leftOver.length} of them changed.`)
    if (stale.length === drift.stale.length) return 0
    console.error('knative/rendered is out of date, and there is no Helm here to write it: put `helm` on PATH.')
    return 1
  },
}

/** The fingerprint stays as it was: it says that the manifests are of another chart. */
const withoutManifests = ({ stale }: Drift): Drift => ({
  stale: stale.filter((file) => !file.startsWith(renderedFolder)),
  leftOver: [],
})

function judge({ stale, leftOver }: Drift): number {
  for (const file of stale) console.error(`${file} is not what the definitions say`)
  for (const file of leftOver) console.error(`${file} belongs to nothing any more`)
  return stale.length + leftOver.length === 0 ? 0 : 1
}
