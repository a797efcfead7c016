import assert from 'node:assert/strict'
import { test } from 'node:test'
import { splitManifests } from '../../../cli/knative/split-manifests.ts'

const document = (template: string, name: string, owner?: string): string => `---
# Source: sluice/templates/${template}
kind: Any
metadata:
  name: ${name}
  labels:
    a: b${owner === undefined ? '' : `\n    sluice.dev/function: ${owner}`}
`

const rendered = [
  document('kafka-source.yaml', 'one-b', 'one'),
  document('kafka-source.yaml', 'one-a', 'one'),
  document('service.yaml', 'two', 'two'),
  document('service.yaml', 'one', 'one'),
  document('kafka-sink.yaml', 'sink'),
]

test('each function has a folder, what belongs to none is the platform’s, and the order is one that kubectl can apply', () => {
  const files = splitManifests(rendered.join(''))
  const order = ['platform/kafka-sink.yaml', 'one/service.yaml', 'two/service.yaml', 'one/kafka-source.yaml']
  assert.deepEqual([...files.keys()], [...order, 'order.txt'])
  assert.equal(files.get('order.txt'), order.map((file) => `${file}\n`).join(''))
})

test('documents of one file stay in the order in which Helm gave them, byte by byte', () => {
  const text = splitManifests(rendered.join('')).get('one/kafka-source.yaml') ?? ''
  const [first, second] = ['one-b', 'one-a'].map((name) => document('kafka-source.yaml', name, 'one'))
  // Without a separator in front of the first, which kn would take for a document of its own.
  assert.match(text, /^#[^\n]*\n# Source: /)
  assert.ok(text.endsWith(`${first?.replace('---\n', '')}${second}`))
})

test('a template that has no place in the order is named', () => {
  assert.throws(() => splitManifests(document('new.yaml', 'x')), /new\.yaml is missing from the order/)
})
