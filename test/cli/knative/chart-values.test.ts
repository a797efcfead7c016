// Values: what is enough, what is refused with which words, what each switch adds.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stringify } from 'yaml'
import { kinds, names, ofKind, rendered, required, skip } from './rendered-chart.ts'

test('an image, the address of Kafka and names of Secrets are enough', { skip }, (t) => {
  const resources = rendered(t, required)
  assert.deepEqual(kinds(resources), ['ConfigMap', 'Job', 'KafkaSink', 'KafkaSource', 'PingSource', 'Service', 'ServiceAccount']) // prettier-ignore
  assert.deepEqual(
    ofKind(resources, 'Service').map(({ metadata }) => metadata.name),
    names,
  )
  assert.deepEqual(
    ofKind(resources, 'ServiceAccount').map(({ metadata }) => metadata.name),
    names,
  )
})

test('the gateway, and no other function, is told whose tokens to believe', { skip }, (t) => {
  const variablesOf = (values: object): Readonly<Record<string, unknown>> =>
    Object.fromEntries(
      ofKind(rendered(t, { ...required, ...values }), 'Service').flatMap(({ metadata, spec }) =>
        (spec.template.spec.containers[0].env as readonly { readonly name: string; readonly value?: string }[])
          .filter(({ name }) => /^(AUTH|JWT)_/.test(name))
          .map(({ name, value }) => [`${metadata.name} ${name}`, value] as const),
      ),
    )
  assert.deepEqual(variablesOf({}), { 'gateway AUTH_MODE': 'jwt' })
  const auth = { issuer: 'https://issuer/', audience: 'chat', jwksUrl: 'https://issuer/keys' }
  assert.deepEqual(variablesOf({ auth: { ...auth, tenantClaim: 'org', operatorScope: 'ops' } }), {
    'gateway AUTH_MODE': 'jwt',
    'gateway JWT_ISSUER': auth.issuer,
    'gateway JWT_AUDIENCE': auth.audience,
    'gateway JWT_JWKS_URL': auth.jwksUrl,
    'gateway JWT_TENANT_CLAIM': 'org',
    'gateway JWT_OPERATOR_SCOPE': 'ops',
  })
  for (const name of Object.keys(auth))
    assert.throws(() => variablesOf({ auth: { ...auth, [name]: '' } }), /issuer, audience and jwksUrl belong together/)
})

test('what is missing is named with its remedy', { skip }, (t) => {
  const missing: readonly (readonly [object, RegExp])[] = [
    [{ ...required, image: {} }, /image\.repository is required/],
    [{ ...required, kafka: {} }, /kafka\.bootstrapServers is required/],
    [{ ...required, secrets: { ...required.secrets, model: {} } }, /secrets\.model\.name is required/],
    [{ ...required, functions: { gateway: { scale: { min: 5, max: 2 } } } }, /functions\.gateway\.scale: min 5 is above max 2/], // prettier-ignore
    [{ ...required, functions: { gate: {} } }, /functions\.gate: there is no function of this name/],
    [{ ...required, domains: [{ function: 'tool-executor', host: 'a.b', kind: 'Ingress' }] }, /is no function that is open/], // prettier-ignore
  ]
  for (const [values, pattern] of missing) assert.throws(() => rendered(t, values), pattern)
})

test('values that Knative would refuse, or that would pass by the proofs, are refused by the schema', { skip }, (t) => {
  const refused: readonly object[] = [
    { env: { PORT: '80' } },
    { env: { SHUTDOWN_TIMEOUT_MS: '60000' } },
    { functions: { gateway: { timeoutSeconds: 900 } } },
    { functions: { gateway: { env: { AUTH_MODE: 'local' } } } },
    { auth: { jwksUrl: 'http://issuer/keys' } },
    { functions: { gateway: { sources: [] } } },
    { functions: { gateway: { env: { K_SERVICE: 'x' } } } },
    { securityContext: { runAsNonRoot: false } },
    { securityContext: { capabilities: { drop: ['ALL'], add: ['NET_ADMIN'] } } },
    { autoscaling: { class: 'hpa.autoscaling.knative.dev' } },
    { kafka: { bootstrapServers: ['kafka'] } },
    { image: { repository: 'a' } },
    { image: { repository: 'registry.example.com/sluice', tag: 'a b' } },
    { colour: 'red' },
  ]
  for (const values of refused)
    assert.throws(() => rendered(t, { ...required, ...values }), /don't meet the specifications/, stringify(values))
})

test('each toggle adds what it names and nothing else', { skip }, (t) => {
  const before = kinds(rendered(t, required))
  const added = (values: object): readonly string[] =>
    kinds(rendered(t, { ...required, ...values })).filter((kind) => !before.includes(kind))
  const kafka = { ...required.kafka, topics: { create: true, cluster: 'kafka' } }
  const domain = (kind: string) => ({
    domains: [{ function: 'gateway', host: 'chat.example.com', kind, tlsSecret: 'tls' }],
  })
  assert.deepEqual(added({ kafka }), ['KafkaTopic'])
  assert.deepEqual(added({ networkPolicy: { enabled: true, restrictEgress: true } }), ['NetworkPolicy'])
  assert.deepEqual(added({ monitoring: { monitor: 'PodMonitor' } }), ['PodMonitor'])
  assert.deepEqual(added({ monitoring: { monitor: 'ServiceMonitor' } }), ['ServiceMonitor'])
  assert.deepEqual(added({ functions: { gateway: { securityGroups: ['sg-1'] } } }), ['SecurityGroupPolicy'])
  assert.deepEqual(added({ monitoring: { rules: { enabled: true } } }), ['PrometheusRule'])
  assert.deepEqual(added(domain('DomainMapping')), ['DomainMapping'])
  assert.deepEqual(added(domain('Ingress')), ['Ingress'])
  assert.equal(ofKind(rendered(t, { ...required, migrations: { enabled: false } }), 'Job').length, 0)
  const without = rendered(t, { ...required, functions: { 'memory-sync': { enabled: false } } })
  assert.deepEqual(
    without.filter(({ metadata }) => metadata.labels?.['sluice.dev/function'] === 'memory-sync'),
    [],
  )
})

test('another metric has a target of its own', { skip }, (t) => {
  const targetOf = (autoscaling: object): unknown =>
    ofKind(rendered(t, { ...required, autoscaling }), 'Service')[0]?.spec.template.metadata.annotations[
      'autoscaling.knative.dev/target'
    ]
  assert.equal(targetOf({ metric: 'rps', target: 150 }), '150')
  assert.equal(targetOf({ metric: 'rps' }), undefined)
  assert.equal(targetOf({ target: 150 }), '100')
})

test('KEDA scales the consumers in place of the number of them', { skip }, (t) => {
  const [source] = ofKind(rendered(t, { ...required, kafkaSource: { keda: { enabled: true } } }), 'KafkaSource')
  assert.equal(source?.metadata.annotations?.['autoscaling.eventing.knative.dev/class'], 'keda.autoscaling.knative.dev')
  assert.equal(source.spec.consumers, undefined)
})
