// A process that emits two events of one key in one transaction and publishes them, with a failpoint on the way.

import { secret } from '../../../../shared/config/index.ts'
import { createDatabase } from '../../../../shared/database/index.ts'
import { createOutbox, createTransactional } from '../../../../shared/delivery/index.ts'
import { createPostgresEventLog } from '../../../../shared/event-log/index.ts'
import { toolCallFinished, topics } from '../../../../shared/events/index.ts'
import { createFailpoints } from '../../../../shared/lifecycle/index.ts'
import { createInstruments, createLogger } from '../../../../shared/telemetry/index.ts'
import { systemClock as clock } from '../../../../shared/time/index.ts'
import { finished } from '../finished.ts'

const { TEST_URL: url = '', TEST_FAILPOINT: point = '' } = process.env
const log = createLogger({ function: 'emitting', level: 'warn' })
const instruments = createInstruments({ function: 'emitting' })
const failpoints = createFailpoints({ testMode: true, failpoints: new Map([[point, 'kill']]) })
const limits = { poolSize: 4, statementTimeoutMs: 5_000, lockTimeoutMs: 2_000, applicationName: 'emitting' }
const database = createDatabase({ url: secret(url), ...limits }, { log, clock })
const eventLog = createPostgresEventLog({}, { database, clock, log })
const outbox = createOutbox({}, { database, eventLog, clock, log, instruments, failpoints, random: Math.random })
const produces = [{ topic: topics.toolResults, type: toolCallFinished }]
const { transaction } = createTransactional({ name: 'emitting', produces }, { database, outbox, clock, failpoints })

await database.start(AbortSignal.timeout(5_000))
await eventLog.start(AbortSignal.timeout(5_000))
await transaction(
  async ({ emit }) => {
    for (const callId of ['1', '2']) emit(toolCallFinished, finished(callId, 'a'), { key: 'a' })
  },
  { tenant: 'acme' },
)
await outbox.stop()
await eventLog.stop()
await database.stop()
