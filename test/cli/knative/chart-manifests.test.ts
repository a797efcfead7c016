// The manifests of functions and sources, field by field.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { names, ofKind, rendered, required, skip } from './rendered-chart.ts'

test('a Service spells out what Knative would fill in, so that a second apply changes nothing', { skip }, (t) => {
  for (const { spec } of ofKind(rendered(t, required), 'Service')) {
    const { containers, ...pod } = spec.template.spec
    const [container] = containers
    assert.equal(containers.length, 1)
    assert.equal(container.name, 'function')
    assert.deepEqual(container.readinessProbe, {
      httpGet: { path: '/ready', port: 8080, scheme: 'HTTP' },
      successThreshold: 1,
    })
    assert.equal(pod.responseStartTimeoutSeconds, pod.timeoutSeconds)
    assert.deepEqual(spec.traffic, [{ latestRevision: true, percent: 100 }])
  }
})

test('containers run without privileges, and nobody gets a token of the API', { skip }, (t) => {
  const resources = rendered(t, required)
  const pods = [...ofKind(resources, 'Service'), ...ofKind(resources, 'Job')].map(({ spec }) => spec.template.spec)
  assert.equal(pods.length, names.length + 1)
  for (const { containers, automountServiceAccountToken } of pods) {
    assert.equal(automountServiceAccountToken, false)
    assert.deepEqual(containers[0].securityContext, {
      runAsNonRoot: true,
      runAsUser: 65_532,
      runAsGroup: 65_532,
      readOnlyRootFilesystem: true,
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
      seccompProfile: { type: 'RuntimeDefault' },
    })
  }
})

test('fields behind a gate of Knative appear when the gate is said to be open', { skip }, (t) => {
  const gated = ['securityContext', 'topologySpreadConstraints', 'affinity', 'nodeSelector', 'tolerations', 'priorityClassName'] // prettier-ignore
  const filled = { ...required, affinity: { nodeAffinity: {} }, nodeSelector: { a: 'b' }, tolerations: [{ key: 'a' }], priorityClassName: 'high' } // prettier-ignore
  const podOf = (values: object): object => ofKind(rendered(t, values), 'Service')[0]?.spec.template.spec
  const closed = podOf(filled)
  assert.deepEqual(
    gated.filter((field) => field in closed),
    [],
  )
  const gates = ['SecurityContext', 'TopologySpreadConstraints', 'Affinity', 'NodeSelector', 'Tolerations', 'PriorityClassName'] // prettier-ignore
  const open = podOf({ ...filled, featureGates: Object.fromEntries(gates.map((gate) => [`podspec${gate}`, true])) })
  assert.deepEqual(
    gated.filter((field) => !(field in open)),
    [],
  )
})

test(
  'a KafkaSource says everything about its delivery, and leaves what it gives up with a sink that exists',
  { skip },
  (t) => {
    const resources = rendered(t, required)
    const sinks = ofKind(resources, 'KafkaSink').map(({ metadata }) => metadata.name)
    const sources = ofKind(resources, 'KafkaSource')
    assert.ok(sources.length >= 5)
    for (const { metadata, spec } of sources) {
      const { retry, backoffPolicy, backoffDelay, timeout, deadLetterSink } = spec.delivery
      assert.ok(retry > 0 && backoffPolicy === 'linear' && backoffDelay !== undefined && timeout !== undefined)
      assert.equal(spec.initialOffset, 'earliest')
      assert.deepEqual(spec.ceOverrides.extensions, { sluicetopic: spec.topics[0] })
      if (spec.topics[0].endsWith('.dlq'))
        assert.match(metadata.annotations?.['sluice.dev/doctor-ignore'] ?? '', /dead-letter-sink-missing/)
      else assert.ok(sinks.includes(deadLetterSink.ref.name), `${metadata.name} names no sink of the chart`)
    }
  },
)

test('authorities that an installation trusts reach every function and the migration', { skip }, (t) => {
  const resources = rendered(t, { ...required, trustedCa: { configMap: 'authorities' } })
  for (const { spec } of [...ofKind(resources, 'Service'), ...ofKind(resources, 'Job')]) {
    const { volumes, containers } = spec.template.spec
    assert.equal(volumes[0].configMap.name, 'authorities')
    assert.equal(containers[0].volumeMounts[0].mountPath, '/etc/sluice/ca')
  }
})
