// What Knative's own validation refuses, and the constants of its drain and of the KafkaSource dispatcher. Serving 1.23
// (pkg/apis/serving/k8s_validation.go, pkg/queue/sharedmain) and eventing-kafka-broker of the same line.

export const knativeLimits = {
  /** Longest revision timeout unless the operator raises max-revision-timeout-seconds, in milliseconds. */
  revisionTimeoutMs: 600_000,
  /** queue-proxy waits this long without a new request before the process gets SIGTERM; a constant of Knative. */
  drainQuietMs: 30_000,
  containerConcurrency: 1_000,
  /** Of queue-proxy, in the network of the pod. */
  reservedPorts: [8008, 8012, 8013, 8022, 8112, 9090, 9091],
  /** Set by Knative; a Service that names them is refused. */
  reservedVariables: ['PORT', 'K_SERVICE', 'K_CONFIGURATION', 'K_REVISION'],
  /** Records a second that an ordered KafkaSource delivers per dispatcher, whatever the partitions; measured (K18). */
  orderedRecordsPerSecond: 250,
  /** Records that an unordered KafkaSource has under way at most, per dispatcher; measured (K18). */
  unorderedInFlight: 99,
  /** A DNS label: the name of a Service becomes part of a host name. */
  nameLength: 63,
} as const
