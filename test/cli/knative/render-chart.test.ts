// The chart by what Helm makes of it. Each test renders with values of its own, from the chart as it lies in the project.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { parse, parseAllDocuments, stringify } from 'yaml'
import { findHelm, findHelmProgram } from '../../../cli/knative/helm.ts'
import { renderChart } from '../../../cli/knative/render-chart.ts'
import { installedFunctions } from '../../../local/platform/index.ts'
import { projectRoot, temporaryFolder } from '../../support/index.ts'

const helm = findHelm(projectRoot)
const skip = helm === undefined ? 'there is no Helm here' : false
const definitions = await installedFunctions(projectRoot)
const names = definitions.map(({ name }) => name)

interface Resource {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly annotations?: Readonly<Record<string, string>>
    readonly labels?: Readonly<Record<string, string>>
  }
  // oxlint-disable-next-line typescript/no-explicit-any -- manifests of many kinds, read by path
  readonly spec: any
}

const required = {
  image: { repository: 'registry.example.com/sluice' },
  kafka: { bootstrapServers: ['kafka:9092'] },
  secrets: { database: { name: 'database' }, model: { name: 'model' }, memory: { name: 'memory' } },
}

function rendered(t: TestContext, values: object): readonly Resource[] {
  const valuesFile = join(temporaryFolder(t), 'values.yaml')
  writeFileSync(valuesFile, stringify(values))
  const chart = join(projectRoot, 'knative')
  const text = helm?.template({ chart, release: 'sluice', namespace: 'test', valuesFile }) ?? ''
  return parseAllDocuments(text).map((document) => document.toJS() as Resource)
}

const ofKind = (resources: readonly Resource[], kind: string): readonly Resource[] =>
  resources.filter((resource) => resource.kind === kind && !resource.metadata.name.endsWith('-metrics'))
const kinds = (resources: readonly Resource[]): readonly string[] =>
  [...new Set(resources.map(({ kind }) => kind))].toSorted()

test('the same functions give the same bytes', { skip }, () => {
  const [first, second] = [renderChart(projectRoot, definitions), renderChart(projectRoot, definitions)]
  assert.deepEqual([...first.files], [...second.files])
})

test('without Helm the manifests are unknown, but whether they are of this chart is not', { skip }, () => {
  const { files, hasManifests } = renderChart(projectRoot, definitions, 'none')
  assert.equal(hasManifests, false)
  assert.deepEqual([...files.keys()], ['knative/files/functions.yaml', 'knative/rendered/made-from.sha256'])
  const fingerprint = 'knative/rendered/made-from.sha256'
  assert.equal(files.get(fingerprint), renderChart(projectRoot, definitions).files.get(fingerprint))
})

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

const external = {
  ...required,
  secrets: {},
  kafka: {
    ...required.kafka,
    tls: { enabled: true },
    sasl: { enabled: true, type: { name: 'k' }, user: { name: 'k' }, password: { name: 'k' } },
  },
  externalSecrets: {
    enabled: true,
    aws: { region: 'eu-west-1' },
    database: { secret: 'postgres', host: 'db.example.com' },
    redis: { secret: 'redis', host: 'redis.example.com' },
    kafka: { secret: 'kafka' },
    model: { secret: 'model' },
    memory: { secret: 'memory' },
  },
}

test('each function reads from the store, as itself, what its variables need and nothing else', { skip }, (t) => {
  const resources = rendered(t, external)
  const storeOf = (name: string) => ofKind(resources, 'SecretStore').find(({ metadata }) => metadata.name === name)
  const secretOf = (name: string) => ofKind(resources, 'ExternalSecret').find(({ metadata }) => metadata.name === name)
  assert.equal(storeOf('gateway')?.spec.provider.aws.auth.jwt.serviceAccountRef.name, 'gateway')
  for (const { metadata, spec } of ofKind(resources, 'Service')) {
    const { target, data } = secretOf(metadata.name)?.spec ?? {}
    const wanted = spec.template.spec.containers[0].env.flatMap(({ name, valueFrom }: EnvironmentVariable) =>
      valueFrom?.secretKeyRef.name === target.name ? [name] : [],
    )
    assert.deepEqual(Object.keys(target.template.data).toSorted(), wanted.toSorted())
    const texts = JSON.stringify(target.template.data)
    for (const { secretKey } of data) assert.match(texts, new RegExp(`\\.${secretKey}\\b`))
  }
  assert.equal(
    secretOf('dead-letter-intake')?.spec.target.template.data.DATABASE_URL,
    'postgres://{{ .database_username | urlquery | replace "+" "%20" }}:{{ .database_password | urlquery | replace "+" "%20" }}@db.example.com:5432/sluice?sslmode=verify-full',
  )
  const [source] = ofKind(resources, 'KafkaSource')
  const { user } = source?.spec.net.sasl ?? {}
  const ofSources = secretOf('sluice-sources')?.spec.target
  assert.equal(ofSources.name, user.secretKeyRef.name)
  assert.equal(ofSources.template.data[user.secretKeyRef.key], '{{ .kafka_username }}')
  assert.throws(
    () => rendered(t, { ...external, externalSecrets: { ...external.externalSecrets, model: { secret: '' } } }),
    /externalSecrets\.model\.secret is required/,
  )
})

interface EnvironmentVariable {
  readonly name: string
  readonly valueFrom?: { readonly secretKeyRef: { readonly name: string } }
}

// External Secrets Operator's template language is that of Helm, so Helm says what a text comes to.
test('names and passwords of any letters come through the URLs', { skip }, (t) => {
  const secret = { username: 'käthe@ops', password: 'a b+c/d:e?f#g%h@i' }
  const owner = ofKind(rendered(t, external), 'ExternalSecret').find(({ metadata }) => metadata.name === 'gateway')
  const texts = owner?.spec.target.template.data as Readonly<Record<string, string>>
  const chart = temporaryFolder(t)
  mkdirSync(join(chart, 'templates'))
  writeFileSync(join(chart, 'Chart.yaml'), stringify({ apiVersion: 'v2', name: 'texts', version: '1.0.0' }))
  const values = Object.fromEntries(
    ['database', 'redis'].flatMap((store) => Object.entries(secret).map(([name, text]) => [`${store}_${name}`, text])),
  )
  const valuesFile = join(chart, 'values.yaml')
  writeFileSync(valuesFile, stringify(values))
  const templates = ['DATABASE_URL', 'REDIS_URL'].map((name) => `${name}: ${texts[name]}`)
  writeFileSync(join(chart, 'templates', 'texts.yaml'), `{{- with .Values }}\n${templates.join('\n')}\n{{- end }}\n`)
  const made = parse(helm?.template({ chart, release: 'x', namespace: 'x', valuesFile }) ?? '') as Readonly<
    Record<string, string>
  >
  for (const url of Object.values(made).map((text) => new URL(text))) {
    assert.equal(decodeURIComponent(url.username), secret.username)
    assert.equal(decodeURIComponent(url.password), secret.password)
  }
  assert.equal(Object.keys(made).length, 2)
})

test('in Vault a function has a role of its own', { skip }, (t) => {
  const vault = { server: 'https://vault.example.com' }
  const resources = rendered(t, { ...external, externalSecrets: { ...external.externalSecrets, aws: {}, vault } })
  const { auth, version } = ofKind(resources, 'SecretStore')[0]?.spec.provider.vault ?? {}
  assert.equal(version, 'v2')
  assert.deepEqual(auth.kubernetes, {
    mountPath: 'kubernetes',
    role: `test-${auth.kubernetes.serviceAccountRef.name}`,
    serviceAccountRef: auth.kubernetes.serviceAccountRef,
  })
})

test('the migration has what it stands on before it, and makes topics when told to', { skip }, (t) => {
  const jobOf = (values: object) => ofKind(rendered(t, values), 'Job')[0]?.spec.template.spec
  assert.equal(jobOf(required).serviceAccountName, undefined)
  assert.equal(jobOf(required).initContainers, undefined)
  const migrations = { topics: true, securityGroups: ['sg-1'], serviceAccount: { annotations: { role: 'migrate' } } }
  const resources = rendered(t, { ...external, migrations })
  const before = resources.filter(({ metadata }) => metadata.annotations?.['helm.sh/hook-weight'] === '-5')
  assert.deepEqual(kinds(before), ['ExternalSecret', 'SecretStore', 'SecurityGroupPolicy', 'ServiceAccount'])
  const { serviceAccountName, initContainers, containers } = ofKind(resources, 'Job')[0]?.spec.template.spec ?? {}
  assert.equal(serviceAccountName, 'sluice-migrate')
  assert.deepEqual([...initContainers, ...containers].map(({ args }) => args), [['topics'], ['migrate']]) // prettier-ignore
  const topicsEnv = initContainers[0].env.map(({ name }: EnvironmentVariable) => name)
  for (const name of ['KAFKA_BROKERS', 'KAFKA_TLS', 'KAFKA_SASL_MECHANISM', 'KAFKA_SASL_USERNAME']) {
    assert.ok(topicsEnv.includes(name), name)
  }
})

test('authorities that an installation trusts reach every function and the migration', { skip }, (t) => {
  const resources = rendered(t, { ...required, trustedCa: { configMap: 'authorities' } })
  for (const { spec } of [...ofKind(resources, 'Service'), ...ofKind(resources, 'Job')]) {
    const { volumes, containers } = spec.template.spec
    assert.equal(volumes[0].configMap.name, 'authorities')
    assert.equal(containers[0].volumeMounts[0].mountPath, '/etc/sluice/ca')
  }
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

test('credentials of Kafka reach the sources and the functions that publish, and no others', { skip }, (t) => {
  const key = { name: 'kafka' }
  const kafka = { ...required.kafka, tls: { enabled: true, ca: key }, sasl: { enabled: true, type: key, user: key, password: key } } // prettier-ignore
  const resources = rendered(t, { ...required, kafka })
  assert.equal(ofKind(resources, 'KafkaSource')[0]?.spec.net.sasl.user.secretKeyRef.name, 'kafka')
  const withPassword = ofKind(resources, 'Service').filter(({ spec }) =>
    spec.template.spec.containers[0].env.some(({ name }: { readonly name: string }) => name === 'KAFKA_SASL_PASSWORD'),
  )
  const publishing = definitions.filter(({ produces, needs }) => produces.length > 0 || needs.includes('kafka'))
  assert.deepEqual(
    withPassword.map(({ metadata }) => metadata.name),
    publishing.map(({ name }) => name),
  )
})

test('a changed setting makes a new revision, and what the migration runs with a new Job', { skip }, (t) => {
  const of = (values: object) => {
    const resources = rendered(t, { ...required, ...values })
    const [service] = ofKind(resources, 'Service')
    return [
      service?.spec.template.metadata.annotations['sluice.dev/settings'],
      ofKind(resources, 'Job')[0]?.metadata.name,
    ]
  }
  const [settings, job] = of({})
  const [otherSettings, sameJob] = of({ env: { LOG_LEVEL: 'warn' } })
  assert.notEqual(otherSettings, settings)
  assert.equal(sameJob, job)
  assert.notEqual(of({ image: { ...required.image, tag: '2' } })[1], job)
  assert.notEqual(of({ imagePullSecrets: [{ name: 'registry' }] })[1], job)
})

test('every service.yaml is one document, and order.txt lists every manifest once', { skip }, () => {
  const { files } = renderChart(projectRoot, definitions)
  for (const environment of ['dev', 'production']) {
    const folder = `knative/rendered/${environment}/`
    const manifests = [...files.keys()].filter((file) => file.startsWith(folder) && file.endsWith('.yaml'))
    for (const name of names) {
      const text = files.get(`${folder}${name}/service.yaml`) ?? ''
      assert.equal((parse(text) as Resource).metadata.name, name)
    }
    const order = (files.get(`${folder}order.txt`) ?? '').trimEnd().split('\n')
    assert.deepEqual(order.map((file) => folder + file).toSorted(), manifests.toSorted())
    const first = (template: string): number => order.findIndex((file) => file.endsWith(template))
    assert.ok(first('/service-account.yaml') < first('/migrate-job.yaml'))
    assert.ok(
      first('/migrate-job.yaml') < first('/service.yaml') && first('/service.yaml') < first('/kafka-source.yaml'),
    )
  }
})

test('helm lint has nothing to say', { skip }, () => {
  const file = findHelmProgram(projectRoot) ?? ''
  for (const values of ['values-dev.yaml', 'values-production.yaml']) {
    const { status, stdout } = spawnSync(file, ['lint', '--strict', join(projectRoot, 'knative'), '--values', join(projectRoot, 'knative', values)], { encoding: 'utf8' }) // prettier-ignore
    assert.equal(status, 0, stdout)
  }
})
