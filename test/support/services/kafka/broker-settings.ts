// The settings of a single broker that is its own controller, small and quick: the same for a broker from jars and from an image.

export interface BrokerAddresses {
  /** host:port the broker listens on for clients, and what it tells clients to connect to. */
  readonly listen: string
  readonly advertise: string
  readonly controller: string
  readonly logDirs: string
}

export const brokerSettings = (addresses: BrokerAddresses): Readonly<Record<string, string | number | boolean>> => ({
  'process.roles': 'broker,controller',
  'node.id': 1,
  'controller.quorum.voters': `1@${addresses.controller}`,
  listeners: `PLAINTEXT://${addresses.listen},CONTROLLER://${addresses.controller}`,
  'advertised.listeners': `PLAINTEXT://${addresses.advertise}`,
  'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
  'inter.broker.listener.name': 'PLAINTEXT',
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

/** An ApiVersions request: a broker that answers it serves clients. */
export const apiVersionsRequest = Buffer.from('0000000f0012000000000007000570726f6265', 'hex')
