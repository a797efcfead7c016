// A whole small world in one process: both functions, the source, the lane driver, the relay, on the log on Postgres. It dies as
// a whole at a failpoint and says `quiet` when nothing is left to do, or `stuck` when something is left that does not move.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { createHttpSender, createKafkaSource, upstreamTiming } from '../../../local/kafka-source/index.ts'
import { kafkaSourcesOf } from '../../../local/platform/sources.ts'
import { secret } from '../../../shared/config/index.ts'
import { createDatabase } from '../../../shared/database/index.ts'
import {
  createDelivery,
  createLaneDriver,
  createOutbox,
  createRelay,
  laneTokenHeader,
  type Delivery,
} from '../../../shared/delivery/index.ts'
import { createPostgresEventLog } from '../../../shared/event-log/index.ts'
import { decodeHttpEvent } from '../../../shared/events/index.ts'
import { createFailpoints } from '../../../shared/lifecycle/index.ts'
import { createInstruments, createLogger } from '../../../shared/telemetry/index.ts'
import { systemClock as clock } from '../../../shared/time/index.ts'
import { remainderOf } from '../history/collect.ts'
import { groups } from '../history/history.ts'
import { banker, counter, createBanker, createCounter } from '../workload/functions.ts'
import { processDeps } from '../workload/process-deps.ts'

const { TEST_URL: url = '', TEST_FAILPOINT: point = '', TEST_RELAY_AFTER_MS: relayAfterMs = '0' } = process.env
const [name = '', action = ''] = point.split('=')
const failpoints = createFailpoints({ testMode: true, failpoints: new Map(point === '' ? [] : [[name, action]]) })
const log = createLogger({ function: 'world', level: process.env['LOG_LEVEL'] ?? 'silent' })
const instruments = createInstruments({ function: 'world' })
const limits = { poolSize: 24, statementTimeoutMs: 5_000, lockTimeoutMs: 2_000, applicationName: 'world' }
const database = createDatabase({ url: secret(url), ...limits }, { log, clock })
const eventLog = createPostgresEventLog({}, { database, clock, log })
const surroundings = { database, clock, log, instruments, failpoints, random: Math.random }
const outbox = createOutbox({}, { ...surroundings, eventLog })
const deps = { ...surroundings, outbox }
const workload = processDeps(process.env)
const soon = { attempts: 4, backoff: { firstMs: 30, maxMs: 100 }, timeoutMs: 10_000 }
const deliveries: Readonly<Record<string, Delivery>> = {
  counter: createDelivery({ ...counter, delivery: soon }, createCounter(workload) as never, deps),
  banker: createDelivery({ ...banker, delivery: soon }, createBanker(workload) as never, deps),
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const raw = await buffer(request)
  const delivery = deliveries[(request.url ?? '').replaceAll('/', '')]
  const decoded = decodeHttpEvent({ headers: request.headers, body: raw }, { bind: () => undefined })
  if (delivery === undefined || !decoded.ok) return void response.writeHead(400).end()
  const token = request.headers[laneTokenHeader]
  const incoming = { ...decoded, raw }
  const { status } = await (typeof token === 'string' ? delivery.run(incoming, token) : delivery.accept(incoming))
  response.writeHead(status).end()
}

await database.start(AbortSignal.timeout(20_000))
await eventLog.start(AbortSignal.timeout(20_000))
const server = createServer((request, response) => void answer(request, response))
server.listen(0, '127.0.0.1')
await new Promise((resolve) => server.once('listening', resolve))
const urlOf = (of: string): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}/${of}`

await createLaneDriver({ functionUrl: urlOf }, deps).start(AbortSignal.timeout(20_000))
// Offsets are committed soon: an event that was answered too early and then died is lost only when its offset is committed.
const timing = { ...upstreamTiming, wake: 'append', pollEveryMs: 50, commitEveryMs: 20 } as const
for (const definition of [counter, banker]) {
  for (const source of kafkaSourcesOf(definition, urlOf(definition.name))) {
    const sender = createHttpSender({ clock })
    const spanId = (): string => '00f067aa0ba902b7'
    await createKafkaSource({ source, ...timing }, { log: eventLog, sender, clock, logger: log, spanId }).start(
      AbortSignal.timeout(20_000),
    )
  }
}
const relayed = clock.sleep(Number(relayAfterMs)).then(() => createRelay(deps).start(AbortSignal.timeout(20_000)))

const stuckAfterMs = 3_000
for (let before = '', since = clock.monotonic(); ;) {
  await clock.sleep(100)
  const left = await remainderOf(groups, { database, eventLog })
  const now = JSON.stringify(left)
  if (now !== before) since = clock.monotonic()
  before = now
  const isQuiet = Object.values(left).every((count) => count === 0)
  if (clock.monotonic() - since < (isQuiet ? 300 : stuckAfterMs)) continue
  await relayed
  process.stdout.write(isQuiet ? 'quiet\n' : `stuck ${now}\n`)
  break
}
