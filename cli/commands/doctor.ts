// `sluice doctor`: what will go wrong with Knative manifests, anybody's, before a cluster shows it.

import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { SluiceError } from '../../shared/errors/index.ts'
import type { Command } from '../command.ts'
import { diagnose, jsonReport, readManifests, rules, sarifReport, textReport, type Diagnosis } from '../doctor/index.ts'

const formats: Readonly<Record<string, (diagnosis: Diagnosis) => string>> = {
  text: textReport,
  json: jsonReport,
  sarif: sarifReport,
}

export const command: Command = {
  summary: 'Finds what will lose, hold up or refuse events in Knative YAML',
  usage: `Usage: sluice doctor FILE|DIR|-… [--format text|json|sarif]
       sluice doctor --rules

Reads KafkaSources and Knative Services, and what belongs to them (KafkaTopics, sinks, Knative's ConfigMaps), from files of any
number of documents, folders (*.yaml, *.yml, *.json) or standard input. Each finding has its arithmetic, its remedy and the place
where the fact behind it is written. Nothing is sent anywhere.

  --format F   text (default), json, or sarif for code hosts and editors
  --rules      lists the rules

An object is excepted from rules by the annotation sluice.dev/doctor-ignore: rule-a, rule-b. A Service names features that its
cluster has enabled by the annotation sluice.dev/feature-gates: kubernetes.podspec-affinity, …
Exits 0 without errors (warnings and notes do not count), 1 with errors, 2 when called wrongly or when there is nothing to read.

  helm template knative | npx sluice doctor -`,
  run: doctor,
}

function doctor(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { format: { type: 'string', default: 'text' }, rules: { type: 'boolean', default: false } },
  })
  if (values.rules) {
    for (const { id, summary } of rules) console.log(`${id.padEnd(26)} ${summary}`)
    return Promise.resolve(0)
  }
  const report = Object.hasOwn(formats, values.format) ? formats[values.format] : undefined
  if (report === undefined)
    return calledWrongly(`--format ${values.format}: expected ${Object.keys(formats).join(', ')}`)
  if (positionals.length === 0) return calledWrongly('expected files, folders or -')
  return examine(positionals, report)
}

function examine(paths: readonly string[], report: (diagnosis: Diagnosis) => string): Promise<number> {
  const read = readOrExplain(paths)
  if (typeof read === 'string') return calledWrongly(read)
  const findings = [...read.findings, ...diagnose(read.manifests, rules)]
  if (read.manifests.length === 0 && findings.length === 0)
    return calledWrongly(`${paths.join(' ')}: no Kubernetes object in ${read.files} files`)
  console.log(report({ files: read.files, manifests: read.manifests.length, rules, findings }))
  return Promise.resolve(findings.some(({ level }) => level === 'error') ? 1 : 0)
}

function readOrExplain(paths: readonly string[]): ReturnType<typeof readManifests> | string {
  try {
    return readManifests(paths, () => readFileSync(0, 'utf8'))
  } catch (error) {
    if (error instanceof SluiceError) return error.message
    throw error
  }
}

function calledWrongly(message: string): Promise<number> {
  console.error(`sluice doctor: ${message}\n\n${command.usage}`)
  return Promise.resolve(2)
}
