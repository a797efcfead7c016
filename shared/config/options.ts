// Every boot option of Sluice, declared once. `sluice options` prints this list; nothing else reads the environment.
// Variables of our own start with SLUICE_; the others are names the field already knows.

import {
  addressesOption,
  booleanOption,
  choiceOption,
  integerOption,
  listOption,
  mapOption,
  ratioOption,
  secretOption,
  secretUrlOption,
  textOption,
  urlOption,
} from './option.ts'
import { packageVersion } from './package-version.ts'

export const options = {
  // the process
  port: integerOption({
    variable: 'PORT',
    fallback: 8080,
    min: 0,
    max: 65_535,
    help: 'Serving port. Knative sets it; 0 takes a free one.',
  }),
  host: textOption({
    variable: 'SLUICE_HOST',
    fallback: '127.0.0.1',
    help: 'Address the serving port binds to. The image sets 0.0.0.0.',
  }),
  operationsPort: integerOption({
    variable: 'SLUICE_OPERATIONS_PORT',
    fallback: 9464,
    min: 0,
    max: 65_535,
    help: 'Port of /live, /ready, /health and /metrics.',
  }),
  shutdownTimeoutMs: integerOption({
    variable: 'SHUTDOWN_TIMEOUT_MS',
    fallback: 20_000,
    min: 100,
    max: 600_000,
    help: 'Milliseconds from SIGTERM to the hard stop. Must stay below the grace period of the pod.',
  }),
  drainDelayMs: integerOption({
    variable: 'SLUICE_DRAIN_DELAY_MS',
    fallback: 0,
    min: 0,
    max: 60_000,
    help: 'Milliseconds from SIGTERM in which /ready says no but requests are still taken, for routers that look at /ready now and then. Knative needs none.',
  }),
  lastScrapeMs: integerOption({
    variable: 'SLUICE_LAST_SCRAPE_MS',
    fallback: 5_000,
    min: 0,
    max: 60_000,
    help: 'Longest wait of a drained process for the scrape that sees service_shutdown_seconds, in milliseconds. Only when it was scraped in its last minute.',
  }),
  loopBlockedMs: integerOption({
    variable: 'SLUICE_LOOP_BLOCKED_MS',
    fallback: 10_000,
    min: 100,
    max: 600_000,
    help: 'Longest turn of the event loop, in milliseconds; after a longer one /live answers 503 for as long again.',
  }),
  shedLagMs: integerOption({
    variable: 'SLUICE_SHED_LAG_MS',
    fallback: 1_000,
    min: 50,
    max: 60_000,
    help: 'Lateness of the event loop, in milliseconds, from which on new requests get 503 with Retry-After.',
  }),
  shedHeapPercent: integerOption({
    variable: 'SLUICE_SHED_HEAP_PERCENT',
    fallback: 90,
    min: 20,
    max: 99,
    help: 'Used part of the largest heap, in percent, from which on new requests get 503 with Retry-After.',
  }),
  logLevel: choiceOption({
    variable: 'LOG_LEVEL',
    choices: ['trace', 'debug', 'info', 'warn', 'error', 'silent'],
    fallback: 'info',
    help: 'Least severe log record that is written. PUT /log-level on the operations port changes it for a while.',
  }),
  otlpEndpoint: urlOption({
    variable: 'OTEL_EXPORTER_OTLP_ENDPOINT',
    fallback: '',
    help: 'Base URL of an OTLP receiver over HTTP, such as http://collector:4318. Empty: no spans are recorded, at no cost.',
  }),
  otlpHeaders: secretOption({
    variable: 'OTEL_EXPORTER_OTLP_HEADERS',
    help: 'Headers for the OTLP receiver: name=value pairs, percent-encoded, separated by commas.',
  }),
  traceSampleRatio: ratioOption({
    variable: 'OTEL_TRACES_SAMPLER_ARG',
    fallback: 1,
    help: 'Part of the traces that begin here whose spans are recorded, 0 to 1. Others keep the decision they came with.',
  }),
  testMode: booleanOption({
    variable: 'SLUICE_TEST_MODE',
    fallback: false,
    help: 'Allows failpoints. Never set it in production.',
  }),
  failpoints: mapOption({
    variable: 'SLUICE_FAILPOINTS',
    fallback: new Map(),
    help: 'name=action pairs (kill, or kill@N for the N-th pass); inert without SLUICE_TEST_MODE.',
  }),

  // dependencies
  databaseUrl: secretUrlOption({
    variable: 'DATABASE_URL',
    schemes: ['postgres://', 'postgresql://'],
    help: 'Postgres, as postgres://user:password@host:port/database.',
  }),
  databasePoolSize: integerOption({
    variable: 'SLUICE_DATABASE_POOL_SIZE',
    fallback: 10,
    min: 1,
    max: 500,
    help: 'Connections one process may hold; beside them one that listens, and one for probes while all are in use. Their sum over all processes stays below max_connections.',
  }),
  statementTimeoutMs: integerOption({
    variable: 'SLUICE_STATEMENT_TIMEOUT_MS',
    fallback: 10_000,
    min: 100,
    max: 600_000,
    help: 'Longest SQL statement, in milliseconds.',
  }),
  lockTimeoutMs: integerOption({
    variable: 'SLUICE_LOCK_TIMEOUT_MS',
    fallback: 2_000,
    min: 10,
    max: 60_000,
    help: 'Longest wait for a database lock, in milliseconds; then the source is asked to come again.',
  }),
  kafkaBrokers: addressesOption({
    variable: 'KAFKA_BROKERS',
    fallback: [],
    help: 'Kafka bootstrap servers, host:port separated by commas. Empty: the event log lives in Postgres.',
  }),
  kafkaTls: booleanOption({
    variable: 'KAFKA_TLS',
    fallback: false,
    help: 'TLS to the brokers, whose certificates must be valid. NODE_EXTRA_CA_CERTS names the file of an authority of your own.',
  }),
  kafkaSaslMechanism: choiceOption({
    variable: 'KAFKA_SASL_MECHANISM',
    choices: ['none', 'plain', 'scram-sha-256', 'scram-sha-512'],
    fallback: 'none',
    help: 'How this process proves who it is to the brokers. MSK and most managed Kafkas take scram-sha-512.',
  }),
  kafkaSaslUsername: textOption({
    variable: 'KAFKA_SASL_USERNAME',
    fallback: '',
    help: 'Name at the brokers, with KAFKA_SASL_MECHANISM.',
  }),
  kafkaSaslPassword: secretOption({
    variable: 'KAFKA_SASL_PASSWORD',
    help: 'Password at the brokers, with KAFKA_SASL_MECHANISM.',
  }),
  redisUrl: secretUrlOption({
    variable: 'REDIS_URL',
    schemes: ['redis://', 'rediss://'],
    help: 'Redis, as redis://host:port. Empty: key-value and channels live in Postgres.',
  }),

  // delivery
  functionVersion: textOption({
    variable: 'K_REVISION',
    fallback: packageVersion,
    help: 'Version of the function, stamped on its dead letters. Knative sets it to the name of the revision.',
  }),
  hopLimit: integerOption({
    variable: 'SLUICE_HOP_LIMIT',
    fallback: 200,
    min: 1,
    max: 10_000,
    help: 'Functions that a chain of events may pass; what would go beyond becomes a dead letter. An agent turn of 64 tool rounds makes 130.',
  }),
  inboxRetentionDays: integerOption({
    variable: 'SLUICE_INBOX_RETENTION_DAYS',
    fallback: 14,
    min: 8,
    max: 3_650,
    help: 'Age from which on an event of a source is too old to be taken, in days. What is known of done events is kept for a day longer. Must exceed the retention of the topics and the longest retry of a source together.',
  }),
  outboxLimit: integerOption({
    variable: 'SLUICE_OUTBOX_LIMIT',
    fallback: 100_000,
    min: 1,
    max: 100_000_000,
    help: 'Events that may wait to be published while the event log is away; above it HTTP functions refuse what would emit.',
  }),
  functionUrlTemplate: textOption({
    variable: 'SLUICE_FUNCTION_URL_TEMPLATE',
    fallback: 'http://{function}',
    help: 'Where the lane driver reaches a function; {function} is its name. In a cluster: http://{function}.<namespace>.svc.cluster.local.',
  }),
  functionUrls: mapOption({
    variable: 'SLUICE_FUNCTION_URLS',
    fallback: new Map(),
    help: 'function=url pairs that override the template.',
  }),

  // the model
  modelBaseUrl: urlOption({
    variable: 'MODEL_BASE_URL',
    fallback: '',
    help: 'Base URL of an OpenAI-compatible API, such as https://host/v1.',
  }),
  modelApiKey: secretOption({ variable: 'MODEL_API_KEY', help: 'Key for the model API.' }),
  modelName: textOption({
    variable: 'MODEL_NAME',
    fallback: '',
    help: 'Model asked for. Empty: the one of the model profile.',
  }),
  modelConnectTimeoutMs: integerOption({
    variable: 'SLUICE_MODEL_CONNECT_TIMEOUT_MS',
    fallback: 5_000,
    min: 100,
    max: 60_000,
    help: 'Longest wait for a connection to the model, in milliseconds.',
  }),
  modelFirstTokenTimeoutMs: integerOption({
    variable: 'SLUICE_MODEL_FIRST_TOKEN_TIMEOUT_MS',
    fallback: 90_000,
    min: 100,
    max: 600_000,
    help: 'Longest wait for the first token of an answer, in milliseconds. Too low: models that think are given up on.',
  }),
  modelIdleTimeoutMs: integerOption({
    variable: 'SLUICE_MODEL_IDLE_TIMEOUT_MS',
    fallback: 30_000,
    min: 100,
    max: 600_000,
    help: 'Longest pause between two pieces of an answer, in milliseconds.',
  }),
  modelTotalTimeoutMs: integerOption({
    variable: 'SLUICE_MODEL_TOTAL_TIMEOUT_MS',
    fallback: 180_000,
    min: 100,
    max: 3_600_000,
    help: 'Longest answer of the model, in milliseconds.',
  }),

  // the agent platform
  authMode: choiceOption({
    variable: 'AUTH_MODE',
    choices: ['local', 'jwt'],
    fallback: 'local',
    help: 'How callers are identified. local: every caller is tenant "local"; refused unless bound to loopback. jwt: by a bearer token; needs JWT_ISSUER, JWT_AUDIENCE and JWT_JWKS_URL.',
  }),
  jwtIssuer: textOption({
    variable: 'JWT_ISSUER',
    fallback: '',
    help: 'Issuer of the tokens, letter for letter as in their claim iss.',
  }),
  jwtAudience: textOption({
    variable: 'JWT_AUDIENCE',
    fallback: '',
    help: 'What the claim aud of a token must name: this API, as the issuer knows it.',
  }),
  jwtJwksUrl: urlOption({
    variable: 'JWT_JWKS_URL',
    fallback: '',
    help: 'Where the issuer publishes its keys. https, except on this machine. Changed keys count within a minute.',
  }),
  jwtTenantClaim: textOption({
    variable: 'JWT_TENANT_CLAIM',
    fallback: 'tenant',
    help: 'Claim of a token that names the tenant.',
  }),
  jwtOperatorScope: textOption({
    variable: 'JWT_OPERATOR_SCOPE',
    fallback: 'sluice:operator',
    help: 'Scope that a token must have for the admin routes.',
  }),
  jwtClockToleranceMs: integerOption({
    variable: 'JWT_CLOCK_TOLERANCE_MS',
    fallback: 30_000,
    min: 0,
    max: 60_000,
    help: 'How far the clocks of issuer and gateway may differ, in milliseconds; a token is taken for so long after its end.',
  }),
  streamsPerTenant: integerOption({
    variable: 'SLUICE_STREAMS_PER_TENANT',
    fallback: 500,
    min: 1,
    max: 100_000,
    help: 'Event streams that one gateway process keeps open for one tenant; more get 429.',
  }),
  turnDeadlineMs: integerOption({
    variable: 'SLUICE_TURN_DEADLINE_MS',
    fallback: 120_000,
    min: 1_000,
    max: 300_000,
    help: 'From the start of a turn to its forced end, in milliseconds. Tools and retries of the model included.',
  }),
  httpFetchAllow: listOption({
    variable: 'SLUICE_HTTP_FETCH_ALLOW',
    fallback: [],
    help: 'host:port pairs that http_fetch may reach although their address is private. For tests.',
  }),

  // the platform on one machine
  home: textOption({
    variable: 'SLUICE_HOME',
    fallback: '.sluice',
    help: 'Folder of data, logs and state of npm start; relative to the project.',
  }),

  // memory
  memoryServiceUrl: urlOption({
    variable: 'MEMORY_SERVICE_URL',
    fallback: '',
    help: 'Base URL of memory-service, or of a memory system that speaks its protocol. Empty: conversations neither remember nor recall.',
  }),
  memoryServiceToken: secretOption({
    variable: 'MEMORY_SERVICE_TOKEN',
    help: 'Token that callers of memory-service send and that it asks for. Without one it serves loopback only.',
  }),
  memoryRecallTimeoutMs: integerOption({
    variable: 'SLUICE_MEMORY_RECALL_TIMEOUT_MS',
    fallback: 800,
    min: 10,
    max: 30_000,
    help: 'Longest wait of a turn for its memories, in milliseconds; then it goes on without them.',
  }),
  memoryCompactionEnabled: booleanOption({
    variable: 'MEMORY_COMPACTION_ENABLED',
    fallback: false,
    help: 'Removes superseded rows of the memory replica. What a memory said before is gone then.',
  }),
} as const
