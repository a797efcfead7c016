// One source, or one service, with what a test changes about it, and what the rules say.

import assert from 'node:assert/strict'
import { stringify } from 'yaml'
import { diagnose, rules } from '../../../cli/doctor/index.ts'
import { parseManifests } from '../../../cli/doctor/read-manifests.ts'
import type { Finding } from '../../../cli/doctor/rule.ts'

type Json = Readonly<Record<string, unknown>>

export const source = (spec: Json, delivery: Json = {}): Json => ({
  apiVersion: 'sources.knative.dev/v1',
  kind: 'KafkaSource',
  metadata: { name: 'orders' },
  spec: {
    topics: ['orders'],
    consumerGroup: 'orders',
    initialOffset: 'earliest',
    sink: { ref: { apiVersion: 'serving.knative.dev/v1', kind: 'Service', name: 'orders' } },
    delivery: { retry: 20, backoffPolicy: 'linear', backoffDelay: 'PT1S', timeout: 'PT30S', ...delivery },
    ...spec,
  },
})

export const service = (pod: Json, annotations: Json = {}, container: Json = {}): Json => ({
  apiVersion: 'serving.knative.dev/v1',
  kind: 'Service',
  metadata: { name: 'orders' },
  spec: {
    template: {
      metadata: { annotations },
      spec: { timeoutSeconds: 120, containers: [{ image: 'orders', ...container }], ...pod },
    },
  },
})

export const configMap = (name: string, entries: Json): Json => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'knative-serving' },
  data: entries,
})

export const topic = (spec: Json): Json => ({
  apiVersion: 'kafka.strimzi.io/v1beta2',
  kind: 'KafkaTopic',
  metadata: { name: 'orders' },
  spec,
})

export function findingsOf(rule: string, ...objects: readonly Json[]): readonly Finding[] {
  const text = objects.map((object) => stringify(object)).join('---\n')
  const { manifests, findings } = parseManifests('test.yaml', text)
  assert.deepEqual(findings, [])
  assert.equal(manifests.length, objects.length)
  return diagnose(manifests, rules).filter((finding) => finding.rule === rule)
}

export function messageOf(rule: string, ...objects: readonly Json[]): string {
  const [finding, ...more] = findingsOf(rule, ...objects)
  assert.ok(finding !== undefined, `${rule} found nothing`)
  assert.equal(more.length, 0)
  return finding.message
}

export const assertQuiet = (rule: string, ...objects: readonly Json[]): void =>
  assert.deepEqual(
    findingsOf(rule, ...objects).map(({ message }) => message),
    [],
  )
