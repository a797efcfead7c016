// Programs that are built from Go modules, once, into .cache/knative/bin. Versions and hashes are those of the go.mod and go.sum in
// tools/ and knvalidate/, and the name of a finished program has the hash of what it was built from.
//
// G1  Without Go, or with one that is too old, there is a reason instead of a path. With it, a build that fails is a failure.

import { createHash } from 'node:crypto'
import { existsSync, globSync, mkdirSync, readFileSync, renameSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Skipped } from '../check.ts'
import { run } from '../program.ts'

export interface GoTool {
  readonly name: string
  /** Below test/checks/knative, with go.mod and go.sum. */
  readonly module: string
  readonly package: string
  readonly ldflags?: string
}

const kubernetes = '1.36.3'
const version = 'k8s.io/component-base/version'

export const goTools = {
  knvalidate: { name: 'knvalidate', module: 'knvalidate', package: '.' },
  compose: { name: 'compose', module: 'tools/compose', package: 'github.com/compose-spec/compose-go/v2/cmd' },
  queueProxy: { name: 'queue-proxy', module: 'tools/serving', package: 'knative.dev/serving/cmd/queue' },
  webhook: { name: 'webhook', module: 'tools/serving', package: 'knative.dev/serving/cmd/webhook' },
  etcd: { name: 'etcd', module: 'tools/etcd', package: 'go.etcd.io/etcd/server/v3' },
  kn: { name: 'kn', module: 'tools/kn', package: 'knative.dev/client/cmd/kn' },
  apiServer: {
    name: 'kube-apiserver',
    module: 'tools/kube',
    package: 'k8s.io/kubernetes/cmd/kube-apiserver',
    // Without it the server says v0.0.0, and clients refuse it.
    ldflags: `-X ${version}.gitVersion=v${kubernetes} -X ${version}.gitMajor=1 -X ${version}.gitMinor=36`,
  },
} as const satisfies Readonly<Record<string, GoTool>>

/** In tools/kube/go.mod. */
const leastMinor = 26
const buildLimitMs = 3_600_000

const here = 'test/checks/knative'

/** The path of the finished program. @throws Error with the compiler's output when it cannot be built. */
export async function goTool(root: string, tool: GoTool): Promise<string | Skipped> {
  const go = await findGo()
  if (typeof go !== 'string') return go
  const path = placeOf(root, tool)
  if (existsSync(path)) return path
  mkdirSync(dirname(path), { recursive: true })
  const partial = `${path}.${process.pid}`
  const ldflags = ['-s -w', tool.ldflags ?? ''].join(' ').trim()
  const options = ['-trimpath', '-buildvcs=false', '-ldflags', ldflags]
  const { code, output } = await run({
    file: 'nice',
    args: ['-n', '15', go, 'build', ...options, '-o', partial, tool.package],
    cwd: join(root, here, tool.module),
    env: { CGO_ENABLED: '0' },
    limitMs: buildLimitMs,
  })
  if (code !== 0) throw new Error(`${tool.name} could not be built: ${output.trim().slice(-2_000)}`)
  renameSync(partial, path) // two checks at once: either's program is whole
  return path
}

/** The path of a program that was built before; nothing is built for it. */
export function builtGoTool(root: string, tool: GoTool): string | undefined {
  const path = placeOf(root, tool)
  return existsSync(path) ? path : undefined
}

const placeOf = (root: string, tool: GoTool): string =>
  join(root, '.cache', 'knative', 'bin', `${tool.name}-${hashOf(join(root, here, tool.module), tool)}`)

export async function findGo(): Promise<string | Skipped> {
  const { code, output } = await run({ file: 'go', args: ['version'] })
  if (code !== 0) return { skipped: `Go 1.${leastMinor} or newer is not installed` }
  const minor = Number(/go1\.(\d+)/.exec(output)?.[1] ?? 0)
  return minor >= leastMinor ? 'go' : { skipped: `Go 1.${minor} is too old: 1.${leastMinor} is needed` }
}

/** The folder of a module that a tool's go.mod names, fetched where it is missing. */
export async function moduleFolder(root: string, module: string, path: string): Promise<string | Skipped> {
  const go = await findGo()
  if (typeof go !== 'string') return go
  const { code, output } = await run({
    file: go,
    args: ['mod', 'download', '-json', path],
    cwd: join(root, here, module),
    limitMs: buildLimitMs,
  })
  const folder = /"Dir": "([^"]+)"/.exec(output)?.[1]
  if (code !== 0 || folder === undefined) throw new Error(`${path} could not be fetched: ${output.trim().slice(-500)}`)
  return folder
}

function hashOf(folder: string, { package: name, ldflags = '' }: GoTool): string {
  const hash = createHash('sha256').update(`${name}\n${ldflags}\n`)
  for (const file of globSync(['go.mod', 'go.sum', '*.go'], { cwd: folder }).toSorted())
    if (!file.endsWith('_test.go')) hash.update(file).update(readFileSync(join(folder, file)))
  return hash.digest('hex').slice(0, 12)
}
