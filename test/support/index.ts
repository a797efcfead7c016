export { atEnd } from './at-end.ts'
export { isAlive, startChild, type ChildOfTest, type StartChildOptions } from './child-process.ts'
export { until, type UntilOptions } from './until.ts'
export { temporaryFolder } from './temporary-folder.ts'
export { projectCache, projectRoot } from './places.ts'
export { createManualClock, type ManualClock } from './manual-clock.ts'
export { startLoopbackServer, type LoopbackServer } from './loopback-server.ts'
export {
  createTestDatabase,
  kafkaForTests,
  prometheusForTests,
  redisForTests,
  startPostgresServer,
  type SharedServer,
  type TestDatabaseOptions,
} from './servers.ts'
export { proxyTo, startTcpProxy, type TcpProxy } from './tcp-proxy.ts'
export { startOtlpReceiver, type OtlpReceiver, type ReceivedSpan } from './otlp-receiver.ts'
