// The KafkaSource twin of both functions as a process. Records that it gives up are written to a file; there must be none.

import { randomBytes } from 'node:crypto'
import { appendFileSync } from 'node:fs'
import { createHttpSender, createKafkaSource, upstreamTiming } from '../../../local/kafka-source/index.ts'
import { kafkaSourcesOf } from '../../../local/platform/sources.ts'
import { secret } from '../../../shared/config/index.ts'
import { createDatabase } from '../../../shared/database/index.ts'
import { createKafkaEventLog, createPostgresEventLog } from '../../../shared/event-log/index.ts'
import type { Component } from '../../../shared/lifecycle/index.ts'
import { createLogger } from '../../../shared/telemetry/index.ts'
import { systemClock as clock } from '../../../shared/time/index.ts'
import { banker, counter } from './functions.ts'

const {
  DATABASE_URL: databaseUrl = '',
  KAFKA_BROKERS: brokers = '',
  TEST_FUNCTION_URLS: functionUrls = '',
  TEST_DROPS_FILE: dropsFile = '',
} = process.env
const log = createLogger({ function: 'source', level: 'warn' })
const urls = new Map(functionUrls.split(',').map((pair) => pair.split('=') as [string, string]))
const limits = { poolSize: 20, statementTimeoutMs: 10_000, lockTimeoutMs: 2_000, applicationName: 'source' }
const database = createDatabase({ url: secret(databaseUrl), ...limits }, { log, clock })
if (brokers === '') await database.start(AbortSignal.timeout(60_000))
const eventLog =
  brokers === ''
    ? createPostgresEventLog({}, { database, clock, log })
    : createKafkaEventLog({ brokers: brokers.split(','), clientId: 'source' }, { clock, log })
await untilStarted(eventLog)

const sender = createHttpSender({ clock })
const timing = { ...upstreamTiming, wake: 'append', commitEveryMs: 1_000 } as const
for (const definition of [counter, banker]) {
  for (const source of kafkaSourcesOf(definition, `${urls.get(definition.name) ?? ''}/`)) {
    const twin = createKafkaSource(
      { source, ...timing },
      {
        log: eventLog,
        sender,
        clock,
        logger: log,
        spanId: () => randomBytes(8).toString('hex'),
        onOutcome: ({ topic, partition, offset }, outcome) => {
          if (outcome.kind !== 'delivered')
            appendFileSync(dropsFile, `${JSON.stringify({ topic, partition, offset, ...outcome })}\n`)
        },
      },
    )
    await untilStarted(twin)
  }
}
process.stdout.write('ready\n')

/** Whoever the broker is away for comes again, as Kubernetes starts a source anew. */
async function untilStarted({ start }: Pick<Component, 'start'>): Promise<void> {
  const started = await start(AbortSignal.timeout(60_000)).then(
    () => true,
    () => false,
  )
  if (started) return
  await clock.sleep(500)
  await untilStarted({ start })
}
