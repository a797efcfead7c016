// The arithmetic and the edges of the rules; that each finds its trap is proven in planted.test.ts.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertQuiet, configMap, findingsOf, messageOf, service, source, topic } from './manifests-of.ts'

test('the built-in delivery is written out: 613.8 s of exponential back-off', () => {
  assert.match(
    messageOf('delivery-missing', source({ delivery: undefined })),
    /10 retries, 600 ms \+ 1\.2 s \+ … \+ 5 min 7\.2 s = 10 min 13\.8 s/,
  )
})

test('a delivery section without retry says where the event ends', () => {
  const none = { retry: undefined }
  assert.match(messageOf('retry-missing', source({}, none)), /means 0 retries.*drops the event/)
  const letters = { ...none, deadLetterSink: { uri: 'http://letters' } }
  assert.match(messageOf('retry-missing', source({}, letters)), /sends it to the dead letter sink/)
  assertQuiet('retry-missing', source({ delivery: undefined }), source({}, { retry: 1 }))
})

test('retries that are over in less than a minute are a warning, with their sum', () => {
  const exponential = { retry: 3, backoffPolicy: 'exponential', backoffDelay: 'PT0.2S' }
  assert.match(messageOf('retry-window-short', source({}, exponential)), /400 ms \+ 800 ms \+ 1\.6 s = 2\.8 s/)
  assertQuiet('retry-window-short', source({}, { retry: 11 }), source({}, { retry: undefined }))
})

test('exponential back-off outlasts the retention of the topic, which is the KafkaTopic’s or a week', () => {
  const twenty = { retry: 20, backoffPolicy: 'exponential', deadLetterSink: { uri: 'http://letters' } }
  const week = messageOf('retry-outlasts-retention', source({}, twenty))
  assert.match(week, /2 s \+ 4 s \+ … \+ 12 d .* the back-off alone outlasts the 7 d/)
  const long = topic({ config: { 'retention.ms': 86_400_000 * 90 } })
  assertQuiet('retry-outlasts-retention', source({}, twenty), long)
  const endless = topic({ config: { 'retention.ms': '-1' } })
  assertQuiet('retry-outlasts-retention', source({}, twenty), endless)
  const short = topic({ config: { 'retention.ms': '60000' } })
  assert.match(messageOf('retry-outlasts-retention', source({}), short), /the back-off alone outlasts the 1 min/)
})

test('unordered, no record waits for another, so nothing blocks', () => {
  const hour = { timeout: 'PT1H' }
  assert.match(messageOf('head-of-line-block', source({}, hour)), /3 min 30 s \+ 21 × 1 h\) = 21 h 3 min 30 s/)
  assertQuiet('head-of-line-block', source({ ordering: 'unordered' }, hour))
  assertQuiet(
    'retry-outlasts-retention',
    source({ ordering: 'unordered' }, { retry: 30, backoffPolicy: 'exponential' }),
  )
})

test('a back-off of half a millisecond is as good as none', () => {
  assert.match(messageOf('backoff-zero', source({}, { backoffDelay: 'PT0.0005S' })), /20 retries become 0/)
  assertQuiet('backoff-zero', source({}, { backoffDelay: 'PT0.001S' }), source({}, { backoffDelay: 'x' }))
})

test('the ceiling of an ordered source is shared by its topics and shown for each partition', () => {
  assert.match(
    messageOf('ordered-throughput', source({}), topic({ partitions: 12 })),
    /20\.8 for each of 12 partitions/,
  )
  const [both] = findingsOf('ordered-throughput', source({ topics: ['a', 'b'] }))
  assert.equal(both?.level, 'warning')
  assertQuiet('ordered-throughput', source({ ordering: 'unordered' }))
})

test('an unordered source overflows a Service that takes fewer than 99, and the rest waits for pods', () => {
  const unordered = source({ ordering: 'unordered' })
  const eight = service({ containerConcurrency: 8 }, { 'autoscaling.knative.dev/max-scale': '3' })
  assert.match(messageOf('concurrency-overflow', unordered, eight), /8 \+ 80 queued = 88; with all 3 pods 264/)
  assertQuiet('concurrency-overflow', unordered, service({ containerConcurrency: 9 }))
  assertQuiet('concurrency-overflow', unordered, service({}))
})

test('pods beyond the partitions of an ordered source never work', () => {
  const wide = service({ containerConcurrency: 10 }, { 'autoscaling.knative.dev/maxScale': '4' })
  assert.match(
    messageOf('concurrency-unused', source({}), wide, topic({ partitions: 6 })),
    /6 partitions.*4 pods × 10 = 40/,
  )
  assertQuiet('concurrency-unused', source({}), wide, topic({ partitions: 40 }))
  assertQuiet('concurrency-unused', source({}), wide) // partitions unknown
})

test('a source that gives up before its Service does runs one event several times at once', () => {
  assert.match(messageOf('delivery-overlap', source({}), service({})), /30 s < 2 min.*up to 4 runs/)
  assertQuiet('delivery-overlap', source({}, { timeout: 'PT2M' }), service({}))
  const early = service({ responseStartTimeoutSeconds: 30 })
  assertQuiet('delivery-overlap', source({}), early)
})

test('the drain is 30 s of queue-proxy and what the process says it needs', () => {
  const told = { env: [{ name: 'SHUTDOWN_TIMEOUT_MS', value: '90000' }] }
  assert.match(messageOf('termination-drain', service({}, {}, told)), /30 s \+ shutdown 1 min 30 s = 2 min ≥ 2 min/)
  assertQuiet('termination-drain', service({ timeoutSeconds: 51 }))
  assert.match(messageOf('termination-drain', service({ timeoutSeconds: 20 })), /SIGKILL 0 s after that/)
})

test('the maximum of the cluster is read from config-defaults', () => {
  const long = service({ timeoutSeconds: 900, responseStartTimeoutSeconds: 900 })
  assert.match(messageOf('timeout-beyond-max', long), /15 min > 10 min/)
  assertQuiet('timeout-beyond-max', long, configMap('config-defaults', { 'max-revision-timeout-seconds': '1200' }))
})

test('features are read from config-features', () => {
  const pinned = service({ nodeSelector: { disk: 'ssd' } })
  assert.match(messageOf('feature-gate', pinned), /kubernetes\.podspec-nodeselector/)
  assertQuiet('feature-gate', pinned, configMap('config-features', { 'kubernetes.podspec-nodeselector': 'Enabled' }))
  const told = { name: 'orders', annotations: { 'sluice.dev/feature-gates': 'a, kubernetes.podspec-nodeselector' } }
  assertQuiet('feature-gate', { ...pinned, metadata: told })
  assertQuiet('security-context', service({}), configMap('config-features', { 'secure-pod-defaults': 'enabled' }))
  const probe = { livenessProbe: { httpGet: { port: 9464 } } }
  assert.match(messageOf('probe-port', service({}, {}, probe)), /rewritten to the traffic port 8080/)
  assertQuiet(
    'probe-port',
    service({}, {}, probe),
    configMap('config-features', { 'multi-container-probing': 'enabled' }),
  )
})

test('a probe may name the port of the container, and a readiness probe another number', () => {
  const probes = {
    ports: [{ name: 'http1', containerPort: 8080 }],
    readinessProbe: { httpGet: { port: 9464 } },
    livenessProbe: { httpGet: { port: 'http1' } },
  }
  assertQuiet('probe-port', service({}, {}, probes))
})

test('only what jams or overwrites is a wrong kne- header, wherever it is written', () => {
  const header = (value: string) => configMap('answers', { value })
  for (const value of ['kne-a-b', 'x, KNE-Error_Code: 1', 'kne-id', 'kne-knativeerrorcode']) {
    assert.equal(findingsOf('kne-header-name', header(value)).length, 1, value)
  }
  for (const value of ['kne-errorcode', 'kne-', 'bakne-a-b', 'kne-identity'])
    assertQuiet('kne-header-name', header(value))
})

test('an exception holds for its object and its rule alone', () => {
  const excepted = source({ initialOffset: 'latest' })
  const metadata = { name: 'orders', annotations: { 'sluice.dev/doctor-ignore': 'initial-offset-latest, key-type' } }
  assertQuiet('initial-offset-latest', { ...excepted, metadata })
  assert.equal(findingsOf('initial-offset-latest', excepted, { ...excepted, metadata }).length, 1)
  assert.equal(findingsOf('dead-letter-sink-missing', { ...excepted, metadata }).length, 1)
})
