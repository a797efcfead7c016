// What `helm template` gave, as the files of knative/rendered/<environment>/: a folder for each function, one document in its
// service.yaml (`kn service apply -f` takes only the first), and order.txt, the order in which kubectl applies them.

import { parse } from 'yaml'
import { SluiceError } from '../../shared/errors/index.ts'
import { platformFolder } from './check-plans.ts'

/** By the template they come from: what others refer to comes before them. */
const order = [
  'service-account.yaml',
  'external-secrets.yaml',
  'security-group-policy.yaml',
  'config-map.yaml',
  'network-policy.yaml',
  'kafka-topic.yaml',
  'kafka-sink.yaml',
  'migrate-access.yaml',
  'migrate-job.yaml',
  'service.yaml',
  'domain.yaml',
  'kafka-source.yaml',
  'ping-source.yaml',
  'monitor.yaml',
  'prometheus-rule.yaml',
  'dashboard.yaml',
]

const notice =
  '# Written by sluice render from the chart. Change the function.ts, the chart or its values, not this file.\n'

/** Paths relative to the environment's folder. */
export function splitManifests(rendered: string): ReadonlyMap<string, string> {
  const documents = new Map<string, string[]>()
  for (const text of rendered.split(/^---$/m)) {
    const [, name] = /^# Source: sluice\/templates\/(\S+)$/m.exec(text) ?? []
    if (name === undefined) continue
    if (!order.includes(name))
      throw new SluiceError('internal', `${name} is missing from the order of split-manifests.ts`)
    const file = `${folderOf(text)}/${name}`
    documents.set(file, [...(documents.get(file) ?? []), `${text.trim()}\n`])
  }
  const files = [...documents.keys()].toSorted().toSorted((a, b) => rank(a) - rank(b))
  return new Map([
    // No separator in front: kn takes what is before it for the first document, and finds no Service in a comment.
    ...files.map((file) => [file, notice + (documents.get(file) ?? []).join('---\n')] as const),
    ['order.txt', files.map((file) => `${file}\n`).join('')],
  ])
}

const rank = (file: string): number => order.indexOf(file.slice(file.indexOf('/') + 1))

function folderOf(text: string): string {
  const document = parse(text) as { readonly metadata?: { readonly labels?: Readonly<Record<string, string>> } }
  return document.metadata?.labels?.['sluice.dev/function'] ?? platformFolder
}
