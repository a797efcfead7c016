// The settings of a single broker that is its own controller, small and quick: the same for a broker from jars and from an image.

export interface BrokerAddresses {
  /** host:port the broker listens on for clients, and what it tells clients to connect to. */
  readonly listen: string
  readonly advertise: string
  readonly controller: string
  readonly logDirs: string
  /** Clients must use TLS and give a password. */
  readonly secured?: BrokerSecurity
}

/** Certificate and key in PEM, and the one user there is. */
export interface BrokerSecurity {
  readonly certificate: string
  readonly key: string
  readonly username: string
  readonly password: string
}

export const brokerSettings = (addresses: BrokerAddresses): Readonly<Record<string, string | number | boolean>> => ({
  'process.roles': 'broker,controller',
  'node.id': 1,
  'controller.quorum.voters': `1@${addresses.controller}`,
  listeners: `CLIENT://${addresses.listen},CONTROLLER://${addresses.controller}`,
  'advertised.listeners': `CLIENT://${addresses.advertise}`,
  'listener.security.protocol.map': `CLIENT:${addresses.secured === undefined ? 'PLAINTEXT' : 'SASL_SSL'},CONTROLLER:PLAINTEXT`,
  ...(addresses.secured === undefined ? {} : securitySettings(addresses.secured)),
  'inter.broker.listener.name': 'CLIENT',
  'controller.listener.names': 'CONTROLLER',
  'log.dirs': addresses.logDirs,
  'num.partitions': 3,
  // The defaults are 3 copies, and then a single node never gets a coordinator for groups or transactions.
  'default.replication.factor': 1,
  'min.insync.replicas': 1,
  'offsets.topic.replication.factor': 1,
  'offsets.topic.num.partitions': 1,
  'transaction.state.log.replication.factor': 1,
  'transaction.state.log.min.isr': 1,
  'transaction.state.log.num.partitions': 1,
  'share.coordinator.state.topic.replication.factor': 1,
  'share.coordinator.state.topic.min.isr': 1,
  'share.coordinator.state.topic.num.partitions': 1,
  'group.initial.rebalance.delay.ms': 0,
  'group.min.session.timeout.ms': 1_000,
  'auto.create.topics.enable': false, // a misspelt topic must fail
  'log.retention.hours': 24, // longer than any run
  'log.segment.bytes': 16_777_216,
  'log.cleaner.dedupe.buffer.size': 2_097_152, // the default allocates 128 MB at start
  'num.network.threads': 2,
  'num.io.threads': 4,
  'background.threads': 2,
})

function securitySettings({ certificate, key, username, password }: BrokerSecurity): Readonly<Record<string, string>> {
  const login = `org.apache.kafka.common.security`
  const user = `username="${username}" password="${password}"`
  const inProperties = (pem: string): string => pem.trim().replaceAll('\n', ' \\n ')
  return {
    'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-512',
    'sasl.mechanism.inter.broker.protocol': 'PLAIN',
    'listener.name.client.plain.sasl.jaas.config': `${login}.plain.PlainLoginModule required ${user} user_${username}="${password}";`,
    'listener.name.client.scram-sha-512.sasl.jaas.config': `${login}.scram.ScramLoginModule required;`,
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.certificate.chain': inProperties(certificate),
    'ssl.keystore.key': inProperties(key),
    'ssl.truststore.type': 'PEM',
    'ssl.truststore.certificates': inProperties(certificate),
    'ssl.endpoint.identification.algorithm': '',
  }
}

/** An ApiVersions request: a broker that answers it serves clients. */
export const apiVersionsRequest = Buffer.from('0000000f0012000000000007000570726f6265', 'hex')
