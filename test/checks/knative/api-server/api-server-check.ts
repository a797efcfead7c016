// What a person does with our manifests – kubectl apply, helm install and upgrade, kn service apply – against a real API server
// with the real webhook, without a warning; and what must be refused is refused.

import { existsSync, globSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { isSkipped, type Check, type Findings, type Skipped } from '../../check.ts'
import { run, type Ended } from '../../program.ts'
import { goTool, goTools } from '../go-tools.ts'
import { helm } from '../helm.ts'
import { plantedIn } from '../planted.ts'
import { installKnative } from './install-knative.ts'
import { startCluster, type Cluster } from './start-cluster.ts'

export const apiServerCheck: Check = {
  name: 'a real API server (api-server)',
  least: 40,
  what: 'calls',
  run: async (root) => {
    const programs = await findPrograms(root)
    if (isSkipped(programs)) return programs
    const cluster = await startCluster(programs)
    try {
      await installKnative(root, cluster)
      return await judgeAll({ root, cluster, kn: programs.kn })
    } finally {
      await cluster.stop()
    }
  },
}

interface Programs {
  readonly etcd: string
  readonly apiServer: string
  readonly webhook: string
  readonly kn: string
}

async function findPrograms(root: string): Promise<Programs | Skipped> {
  if ((await run({ file: 'kubectl', args: ['version', '--client'] })).code !== 0)
    return { skipped: 'kubectl is not installed' }
  if (process.getuid?.() !== 0) return { skipped: 'only root may give the webhook its address' }
  const { etcd, apiServer, webhook, kn } = goTools
  const found: string[] = []
  for (const tool of [etcd, webhook, kn, apiServer]) {
    const path = await goTool(root, tool)
    if (isSkipped(path)) return path
    found.push(path)
  }
  const [etcdPath = '', webhookPath = '', knPath = '', apiServerPath = ''] = found
  return { etcd: etcdPath, webhook: webhookPath, kn: knPath, apiServer: apiServerPath }
}

interface World {
  readonly root: string
  readonly cluster: Cluster
  readonly kn: string
}

/** A call, and what is wrong with how it ended. */
type Call = readonly [what: string, fault: string | undefined]

async function judgeAll(world: World): Promise<Findings> {
  const calls = [
    ...(await applyRendered(world)),
    ...(await knApply(world)),
    ...(await helmInstallAndUpgrade(world)),
    ...(await refusePlanted(world)),
  ]
  const faults = calls.filter(([, fault]) => fault !== undefined).map(([what, fault]) => `${what}: ${fault ?? ''}`)
  return { passed: faults.length === 0, read: calls.length, output: faults.join('\n') }
}

const mustPass = (what: string, { code, output }: Ended): Call => [
  what,
  code === 0 && !/^(?:Warning: |W\d{4} )/m.test(output) ? undefined : output.trim(),
]

/** The gates that values-production opens, and every one that the chart knows. */
async function openGates({ root, cluster }: World): Promise<void> {
  const gates = [
    ...readFileSync(join(root, 'knative', 'values.yaml'), 'utf8').matchAll(/# (kubernetes\.podspec-[a-z]+)/g),
  ]
  const patch = { data: Object.fromEntries(gates.map(([, gate = '']) => [gate, 'enabled'])) }
  const args = ['-n', 'knative-serving', 'patch', 'configmap', 'config-features', '--type', 'merge', '-p']
  const { code, output } = await cluster.kubectl([...args, JSON.stringify(patch)])
  if (code !== 0) throw new Error(output)
}

/** One installation over the other, as somebody does who makes an installation grow. */
async function applyRendered(world: World): Promise<readonly Call[]> {
  const { root, cluster } = world
  const calls: Call[] = []
  for (const folder of globSync('knative/rendered/*/', { cwd: root }).toSorted()) {
    const at = join(root, folder)
    const order = existsSync(join(at, 'order.txt'))
      ? readFileSync(join(at, 'order.txt'), 'utf8').trim().split('\n')
      : globSync('**/*.yaml', { cwd: at }).toSorted()
    if (readFileSync(join(at, order[0] ?? ''), 'utf8').includes('namespace: sluice'))
      await cluster.kubectl(['create', 'namespace', 'sluice'])
    if (basename(at) === 'production') await openGates(world)
    for (const file of order) {
      // The webhook hears of opened gates a moment later.
      const once = () => cluster.kubectl(['apply', '-f', join(at, file)])
      let ended = await once()
      for (let tries = 0; ended.code !== 0 && tries < 20 && ended.output.includes('must not set'); tries += 1) {
        await new Promise((resolve) => setTimeout(resolve, 500))
        ended = await once()
      }
      calls.push(mustPass(`kubectl apply -f ${join(folder, file)}`, ended))
    }
  }
  return calls
}

async function knApply({ root, cluster, kn }: World): Promise<readonly Call[]> {
  await cluster.kubectl(['create', 'namespace', 'kn'])
  const calls: Call[] = []
  for (const file of globSync('knative/rendered/dev/*/service.yaml', { cwd: root }).toSorted()) {
    const options = ['-n', 'kn', '--no-wait', '--kubeconfig', cluster.kubeconfig]
    const ended = await run({ file: kn, args: ['service', 'apply', '-f', join(root, file), ...options] })
    calls.push(mustPass(`kn service apply -f ${file}`, ended))
  }
  return calls
}

async function helmInstallAndUpgrade({ root, cluster }: World): Promise<readonly Call[]> {
  const env = { KUBECONFIG: cluster.kubeconfig }
  // Nothing runs the migration job of the hook here; its manifest was applied before.
  const common = ['sluice', 'knative', '-n', 'helm', '--no-hooks', '-f', 'test/checks/knative/minimal-values.yaml']
  const steps = [
    ['install', ...common, '--create-namespace'],
    ['upgrade', ...common, '--set', 'env.LOG_LEVEL=debug'],
    ['upgrade', ...common, '-f', 'test/checks/knative/companion-values.yaml'],
    ['upgrade', ...common, '-f', 'knative/values-production.yaml'],
  ]
  const calls: Call[] = []
  for (const args of steps) calls.push(mustPass(`helm ${args.join(' ')}`, await helm(root, args, env)))
  return calls
}

/** Those Services that only the webhook refuses: strict decoding is left out. */
async function refusePlanted({ root, cluster }: World): Promise<readonly Call[]> {
  const services = plantedIn(root).filter(({ file, catchers }) => {
    const isService = readFileSync(file, 'utf8').includes('apiVersion: serving.knative.dev/v1\nkind: Service')
    const byPodSecurity = /insecure|writable|feature-gate/.test(file)
    return isService && catchers.join() === 'knvalidate' && !byPodSecurity
  })
  await cluster.kubectl(['create', 'namespace', 'planted'])
  const calls: Call[] = []
  for (const { file } of services) {
    const { code, output } = await cluster.kubectl([
      'apply',
      '-n',
      'planted',
      '--dry-run=server',
      '--validate=false',
      '-f',
      file,
    ])
    const refused = code !== 0 && output.includes('admission webhook')
    calls.push([`${basename(file)} is refused by the webhook`, refused ? undefined : output.trim()])
  }
  return calls
}
