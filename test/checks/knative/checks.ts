// The checks of `npm run check:knative`. Programs come from npm, PyPI and Go modules, once, pinned; what cannot run here says why.

import { globSync } from 'node:fs'
import { join } from 'node:path'
import { diagnose, readManifests, rules } from '../../../cli/doctor/index.ts'
import { parseManifests } from '../../../cli/doctor/read-manifests.ts'
import { isSkipped, type Check, type Findings, type Skipped } from '../check.ts'
import { numberIn, run, script } from '../program.ts'
import { chartVariants, type Variant } from './chart-variants.ts'
import { judgeCompose, judgeDockerfile, judgeSkaffold, type FileJudge } from './file-judges.ts'
import { findGo, goTool, goTools } from './go-tools.ts'
import { hasChart, lint, template } from './helm.ts'
import { plantedIn } from './planted.ts'
import { validateBySchemas } from './schema-validation.ts'

/** helm takes most of a core. */
const atOnce = 2
const noChart: Skipped = { skipped: 'knative/Chart.yaml does not exist' }
const schemas = (root: string): string => join(root, 'test/checks/knative/schemas')

type Judge = (
  variant: Variant,
  rendered: string,
) => Promise<{ readonly read: number; readonly faults: readonly string[] }>

/** What is rendered is the same for every check, so it is rendered once. */
const renderings = new Map<string, Promise<readonly Rendering[]>>()

interface Rendering {
  readonly variant: Variant
  readonly code: number
  readonly output: string
  readonly stdout: string
}

function renderingsOf(root: string): Promise<readonly Rendering[]> {
  const known = renderings.get(root) ?? renderAll(root)
  renderings.set(root, known)
  return known
}

async function renderAll(root: string): Promise<readonly Rendering[]> {
  const variants = chartVariants(root)
  const all: Rendering[] = []
  for (let at = 0; at < variants.length; at += atOnce)
    all.push(
      ...(await Promise.all(
        variants.slice(at, at + atOnce).map(async (variant) => ({ variant, ...(await template(root, variant.args)) })),
      )),
    )
  return all
}

async function overVariants(root: string, each: Judge): Promise<Findings | Skipped> {
  if (!hasChart(root)) return noChart
  const faults: string[] = []
  let read = 0
  for (const { variant, code, output, stdout } of await renderingsOf(root)) {
    const found = code === 0 ? await each(variant, stdout) : { read: 0, faults: [output.trim()] }
    read += found.read
    for (const fault of found.faults) faults.push(`${variant.name}: ${fault}`)
  }
  return { passed: faults.length === 0, read, output: faults.join('\n') }
}

const helmLint: Check = {
  name: 'helm lint --strict',
  least: 2,
  what: 'values files',
  run: async (root) => {
    if (!hasChart(root)) return noChart
    const minimal = 'test/checks/knative/minimal-values.yaml'
    const files = [[], ...globSync('knative/values-*.yaml', { cwd: root }).map((file) => ['-f', file])]
    const runs = await Promise.all(files.map((args) => lint(root, ['-f', minimal, ...args])))
    return {
      passed: runs.every(({ code }) => code === 0),
      read: runs.length,
      output: runs.map(({ output }) => output).join('\n'),
    }
  },
}

const helmTemplate: Check = {
  name: 'helm template',
  least: 20,
  what: 'variants',
  run: (root) =>
    overVariants(root, (_, rendered) => {
      const { manifests, findings } = parseManifests('', rendered)
      const nameless = manifests.filter(({ name, apiVersion }) => name === '' || apiVersion === '')
      return Promise.resolve({
        read: 1,
        faults: [
          ...(manifests.length === 0 ? ['nothing is rendered'] : []),
          ...findings.map(({ message, place }) => `line ${place.line}: ${message}`),
          ...nameless.map(({ kind }) => `a ${kind} without name or apiVersion`),
        ],
      })
    }),
}

const stable: Check = {
  name: 'rendered twice, the same bytes',
  least: 3,
  what: 'variants',
  run: async (root) => {
    if (!hasChart(root)) return noChart
    const first = (await renderingsOf(root)).slice(0, 5)
    const second = await Promise.all(first.map(({ variant }) => template(root, variant.args)))
    const differ = first.filter(({ stdout }, at) => second[at]?.stdout !== stdout).map(({ variant }) => variant.name)
    return { passed: differ.length === 0, read: first.length, output: `not twice the same: ${differ.join(', ')}` }
  },
}

const chartRequires: Check = {
  name: 'helm refuses what is missing',
  least: 3,
  what: 'values',
  run: async (root) => {
    if (!hasChart(root)) return noChart
    const required = ['image.repository=', 'kafka.bootstrapServers=null', 'secrets.database.name=', 'nonsense=1']
    const minimal = ['-f', 'test/checks/knative/minimal-values.yaml']
    const runs = await Promise.all(required.map((value) => template(root, [...minimal, '--set', value])))
    const taken = required.filter((_, at) => runs[at]?.code === 0)
    return {
      passed: taken.length === 0,
      read: required.length,
      output: `rendered all the same with ${taken.join(', ')}`,
    }
  },
}

const schemaCheck: Check = {
  name: 'schemas of the custom resources',
  least: 100,
  what: 'objects',
  run: (root) =>
    overVariants(root, (_, rendered) => {
      const { validated, errors } = validateBySchemas(schemas(root), parseManifests('', rendered).manifests)
      return Promise.resolve({ read: validated, faults: errors })
    }),
}

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

const knvalidateCheck: Check = {
  name: "Knative's own validation",
  least: 100,
  what: 'objects',
  run: async (root) => {
    const program = await goTool(root, goTools.knvalidate)
    if (isSkipped(program)) return program
    return overVariants(root, async ({ features }, rendered) => {
      const given = features.map((feature) => `${feature}=enabled`).join(',')
      const args = [...(given === '' ? [] : ['-features', given]), '-']
      const { code, output } = await run({ file: program, args, input: rendered })
      const lines = output.split('\n').filter((line) => /: (?:error|warning): /.test(line))
      return { read: numberIn(output, /(\d+) validated/), faults: code === 0 && lines.length === 0 ? [] : lines }
    })
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
      ...validateBySchemas(schemas(root), manifests).errors,
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
        schemas: validateBySchemas(schemas(root), manifests).errors.length > 0,
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
  helmLint,
  helmTemplate,
  stable,
  chartRequires,
  schemasAreCurrent,
  schemaCheck,
  knvalidateCheck,
  knvalidateTests,
  renderedCheck,
  plantedCheck,
  skaffold,
  compose,
  dockerfile,
  queueProxy,
]
