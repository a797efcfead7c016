// The checks of `npm run check:knative`. Programs come from npm, PyPI and Go modules, once, pinned; what cannot run here says why.

import { globSync } from 'node:fs'
import { join } from 'node:path'
import { diagnose, readManifests, rules } from '../../../cli/doctor/index.ts'
import { isSkipped, type Check, type Findings, type Skipped } from '../check.ts'
import { numberIn, run, script } from '../program.ts'
import { chartChecks } from './chart-checks.ts'
import { judgeCompose, judgeDockerfile, judgeSkaffold, type FileJudge } from './file-judges.ts'
import { findGo, goTool, goTools } from './go-tools.ts'
import { plantedIn } from './planted.ts'
import { schemaFolder, validateBySchemas } from './schema-validation.ts'

const schemasAreCurrent: Check = {
  name: 'generated schemas are current',
  least: 3,
  what: 'schemas',
  run: async (root) => {
    const go = await findGo()
    if (isSkipped(go)) return go
    const { code, output } = await script(root, ['test/checks/knative/write-schemas.ts', '--check'])
    return { passed: code === 0, read: numberIn(output, /(\d+) schemas/), output }
  },
}

const renderedCheck: Check = {
  name: 'knative/rendered by schema and doctor',
  least: 20,
  what: 'objects',
  run: (root) => {
    const folders = globSync('knative/rendered/*/', { cwd: root }).map((name) => join(root, name))
    if (folders.length === 0) return Promise.resolve({ skipped: 'knative/rendered does not exist' })
    // Each is an installation of its own.
    const installations = folders.map((folder) => readManifests([folder], () => ''))
    const faults = installations.flatMap(({ manifests, findings }) => [
      ...validateBySchemas(schemaFolder(root), manifests).errors,
      ...[...findings, ...diagnose(manifests, rules)]
        .filter(({ level }) => level === 'error')
        .map(({ rule, place, message }) => `${place.file}:${place.line} ${rule}: ${message}`),
    ])
    const read = installations.reduce((sum, { manifests }) => sum + manifests.length, 0)
    return Promise.resolve({ passed: faults.length === 0, read, output: faults.join('\n') })
  },
}

const plantedCheck: Check = {
  name: 'planted breaches are caught',
  least: 20,
  what: 'breaches',
  run: async (root) => {
    const program = await goTool(root, goTools.knvalidate)
    const planted = plantedIn(root)
    const missed: string[] = []
    for (const { file, catchers } of planted) {
      const { manifests } = readManifests([file], () => '')
      const caught = {
        schemas: validateBySchemas(schemaFolder(root), manifests).errors.length > 0,
        doctor: diagnose(manifests, rules).some(({ level }) => level === 'error'),
        knvalidate: isSkipped(program) ? undefined : (await run({ file: program, args: [file] })).code === 1,
      }
      for (const who of ['schemas', 'knvalidate'] as const)
        if (caught[who] !== undefined && caught[who] !== catchers.includes(who))
          missed.push(`${file}: ${who} ${caught[who] ? 'refuses it' : 'lets it pass'}`)
      if (catchers.includes('doctor') && !caught.doctor) missed.push(`${file}: doctor lets it pass`)
    }
    const broken = { skaffold: judgeSkaffold, 'docker-compose': judgeCompose, Dockerfile: judgeDockerfile }
    for (const [name, judge] of Object.entries(broken)) {
      const [file = ''] = globSync(`test/fixtures/knative/broken/${name}*`, { cwd: root })
      const found = await judge(root, join(root, file))
      if (!isSkipped(found) && found.length === 0) missed.push(`${file}: nothing is wrong with it`)
    }
    return { passed: missed.length === 0, read: planted.length + Object.keys(broken).length, output: missed.join('\n') }
  },
}

const knvalidateTests: Check = {
  name: 'tests of knvalidate (go test)',
  least: 6,
  what: 'tests',
  run: async (root) => {
    const program = await goTool(root, goTools.knvalidate) // its packages are compiled by now
    if (isSkipped(program)) return program
    const { code, output } = await run({
      file: 'nice',
      args: ['-n', '15', 'go', 'test', '-trimpath', '-vet=off', '-count=1', '-v', '.'],
      cwd: join(root, 'test/checks/knative/knvalidate'),
      env: { CGO_ENABLED: '0' },
      limitMs: 900_000,
    })
    return { passed: code === 0, read: (output.match(/^--- PASS/gm) ?? []).length, output }
  },
}

const skaffold: Check = {
  name: 'skaffold.yaml by its schema',
  least: 1,
  what: 'files',
  run: (root) => overFiles(root, 'skaffold.yaml', judgeSkaffold),
}

const compose: Check = {
  name: 'docker compose config',
  least: 1,
  what: 'files',
  run: (root) => overFiles(root, 'docker-compose*.yaml', judgeCompose),
}

const dockerfile: Check = {
  name: 'Dockerfile (hadolint)',
  least: 1,
  what: 'files',
  run: (root) => overFiles(root, 'Dockerfile', judgeDockerfile),
}

async function overFiles(root: string, pattern: string, judge: FileJudge): Promise<Findings | Skipped> {
  const files = globSync(pattern, { cwd: root }).map((file) => join(root, file))
  if (files.length === 0) return { skipped: `there is no ${pattern}` }
  const results = await Promise.all(files.map((file) => judge(root, file)))
  const faults: string[] = []
  for (const result of results) {
    if (isSkipped(result)) return result
    faults.push(...result)
  }
  return { passed: faults.length === 0, read: files.length, output: faults.join('\n') }
}

const queueProxy: Check = {
  name: 'functions behind the real queue-proxy',
  least: 6,
  what: 'tests',
  run: async (root) => {
    const program = await goTool(root, goTools.queueProxy)
    if (isSkipped(program)) return program
    const { code, output } = await run({
      file: process.execPath,
      args: ['test/run.ts', 'checks/knative/queue-proxy'],
      cwd: root,
      limitMs: 400_000,
    })
    return { passed: code === 0, read: numberIn(output, /(\d+) passed/), output }
  },
}

export const knativeChecks: readonly Check[] = [
  schemasAreCurrent,
  ...chartChecks,
  knvalidateTests,
  renderedCheck,
  plantedCheck,
  skaffold,
  compose,
  dockerfile,
  queueProxy,
]
