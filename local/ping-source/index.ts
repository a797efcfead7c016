export { parseCron, type Cron } from './cron.ts'
export { sendTick } from './http-tick.ts'
export { createPingSource, type PingSourceDeps, type PingSourceSpec, type TickRequest } from './ping-source.ts'
