// A Kubernetes API server with Knative's custom resources and the webhook of Serving: everything that decides whether a manifest
// is taken, and nothing that would run it.
//
// C1  Everything listens on loopback and ends with stop(); the webhook's address is put on the interface and taken off again.
//     The API server reaches it through the cluster IP of a Service, which is why it must be there.

import { spawn, type ChildProcess } from 'node:child_process'
import { createWriteStream, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { allotPorts } from '../../../../local/runner/index.ts'
import { messageOf } from '../../../../shared/errors/index.ts'
import { until } from '../../../support/until.ts'
import { run, type Ended } from '../../program.ts'

export interface ClusterPrograms {
  readonly etcd: string
  readonly apiServer: string
  readonly webhook: string
}

export interface Cluster {
  readonly kubeconfig: string
  /** Warnings of the server are errors. */
  kubectl(args: readonly string[], input?: string): Promise<Ended>
  /** Starts the webhook, whose configurations must be there by then, and waits until it answers. */
  startWebhook(): Promise<void>
  stop(): Promise<void>
}

const clusterRange = '10.77.0.0/16'
const webhookAddress = '10.77.0.10'
/** Need not exist on the machine, and may not be loopback. */
const advertised = '10.77.255.1'
const token = 'checks-only'
const startLimitMs = 180_000

export async function startCluster({ etcd, apiServer, webhook }: ClusterPrograms): Promise<Cluster> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-api-server-'))
  const children: ChildProcess[] = []
  const start = (file: string, args: readonly string[], env = {}): void => {
    const child = spawn(file, args, { cwd: folder, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
    const log = createWriteStream(join(folder, `${basename(file).replace(/-[0-9a-f]+$/, '')}.log`))
    child.stdout.pipe(log)
    child.stderr.pipe(log)
    children.unshift(child) // stopped in reverse
  }
  const stop = async (): Promise<void> => {
    for (const child of children) {
      child.kill('SIGKILL') // nothing of it is kept
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    }
    await run({ file: 'ip', args: ['addr', 'del', `${webhookAddress}/32`, 'dev', 'lo'] })
    rmSync(folder, { recursive: true, force: true })
  }

  try {
    const [client = 0, peer = 0, port = 0] = await allotPorts(3)
    const etcdUrl = `http://127.0.0.1:${client}`
    start(etcd, [
      '--data-dir',
      'etcd',
      '--unsafe-no-fsync',
      '--listen-client-urls',
      etcdUrl,
      '--advertise-client-urls',
      etcdUrl,
      '--listen-peer-urls',
      `http://127.0.0.1:${peer}`,
    ])
    const key = await run({ file: 'openssl', args: ['genrsa', '-out', join(folder, 'sa.key'), '2048'] })
    if (key.code !== 0) throw new Error(`openssl: ${key.output}`)
    writeFileSync(join(folder, 'tokens.csv'), `${token},admin,admin,"system:masters"\n`)
    start(apiServer, [
      `--etcd-servers=${etcdUrl}`,
      '--bind-address=127.0.0.1',
      `--secure-port=${port}`,
      `--advertise-address=${advertised}`,
      '--cert-dir=certs',
      `--service-cluster-ip-range=${clusterRange}`,
      '--authorization-mode=RBAC',
      '--token-auth-file=tokens.csv',
      '--service-account-issuer=https://kubernetes.default.svc',
      '--service-account-key-file=sa.key',
      '--service-account-signing-key-file=sa.key',
      '--disable-admission-plugins=ServiceAccount',
      '--allow-privileged=true',
    ])
    const kubeconfig = join(folder, 'kubeconfig')
    writeFileSync(kubeconfig, kubeconfigOf(port, join(folder, 'certs', 'apiserver.crt')), { mode: 0o600 })
    const env = { KUBECONFIG: kubeconfig, HOME: folder }
    const kubectl = (args: readonly string[], input?: string): Promise<Ended> =>
      run({ file: 'kubectl', args: ['--warnings-as-errors', ...args], env, input })
    await eventually(
      'the API server is ready',
      folder,
      async () => (await kubectl(['get', '--raw', '/readyz'])).code === 0,
    )

    const startWebhook = async (): Promise<void> => {
      const service = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'webhook', namespace: 'knative-serving' } }
      const ports = [{ name: 'https-webhook', port: 443 }]
      const text = JSON.stringify({ ...service, spec: { clusterIP: webhookAddress, ports } })
      const made = await kubectl(['apply', '-f', '-'], text)
      const added = await run({ file: 'ip', args: ['addr', 'add', `${webhookAddress}/32`, 'dev', 'lo'] })
      if (made.code !== 0 || added.code !== 0)
        throw new Error(`the webhook has no address: ${made.output}${added.output}`)
      start(webhook, ['--kubeconfig', kubeconfig], {
        SYSTEM_NAMESPACE: 'knative-serving',
        POD_NAME: 'webhook-0',
        WEBHOOK_NAME: 'webhook',
        WEBHOOK_PORT: '443',
        CONFIG_LOGGING_NAME: 'config-logging',
        CONFIG_OBSERVABILITY_NAME: 'config-observability',
      })
      const bundle = ['get', 'validatingwebhookconfiguration', 'validation.webhook.serving.knative.dev', '-o']
      await eventually('the webhook has written its certificate', folder, async () => {
        const { stdout } = await kubectl([...bundle, 'jsonpath={.webhooks[0].clientConfig.caBundle}'])
        return stdout.length > 100
      })
    }
    return { kubeconfig, kubectl, startWebhook, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

const kubeconfigOf = (port: number, authority: string): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'checks',
    clusters: [
      { name: 'checks', cluster: { server: `https://127.0.0.1:${port}`, 'certificate-authority': authority } },
    ],
    users: [{ name: 'admin', user: { token } }],
    contexts: [{ name: 'checks', context: { cluster: 'checks', user: 'admin' } }],
  })

async function eventually(what: string, folder: string, holds: () => Promise<boolean>): Promise<void> {
  await until(what, holds, { limitMs: startLimitMs, everyMs: 250 }).catch((cause: unknown) => {
    throw new Error(`${messageOf(cause)}\n${lastLogs(folder)}`, { cause })
  })
}

const lastLogs = (folder: string): string =>
  ['etcd', 'kube-apiserver', 'webhook']
    .map((name) => {
      try {
        return `${name}: ${readFileSync(join(folder, `${name}.log`), 'utf8')
          .trimEnd()
          .split('\n')
          .slice(-5)
          .join('\n  ')}`
      } catch {
        return `${name}: not started`
      }
    })
    .join('\n')
