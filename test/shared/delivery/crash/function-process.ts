// A function in a process of its own, to be killed at failpoints: both ways in over HTTP, effects in the table `effect`, calls
// to the outside counted in the table `call`, which no transaction of the function rolls back.

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { secret } from '../../../../shared/config/index.ts'
import { createDatabase } from '../../../../shared/database/index.ts'
import { createDelivery, createLaneDriver, createOutbox, laneTokenHeader } from '../../../../shared/delivery/index.ts'
import { createPostgresEventLog } from '../../../../shared/event-log/index.ts'
import { decodeHttpEvent, toolCallFinished, topics } from '../../../../shared/events/index.ts'
import { createFailpoints } from '../../../../shared/lifecycle/index.ts'
import { createInstruments, createLogger } from '../../../../shared/telemetry/index.ts'
import { systemClock as clock } from '../../../../shared/time/index.ts'
import { finished } from '../finished.ts'

const {
  TEST_URL: url = '',
  TEST_FAILPOINT: point = '',
  TEST_EXECUTION: execution = 'steps',
  TEST_FUNCTION_URL: functionUrl = '',
} = process.env
const [name = '', action = 'kill'] = point.split('=')
const log = createLogger({ function: 'killed', level: 'warn' })
const instruments = createInstruments({ function: 'killed' })
const failpoints = createFailpoints({ testMode: true, failpoints: new Map(point === '' ? [] : [[name, action]]) })
const limits = { poolSize: 8, statementTimeoutMs: 5_000, lockTimeoutMs: 2_000, applicationName: 'killed' }
const database = createDatabase({ url: secret(url), ...limits }, { log, clock })
const eventLog = createPostgresEventLog({}, { database, clock, log })
const deps = { database, clock, log, instruments, failpoints, random: Math.random }
const outbox = createOutbox({}, { ...deps, eventLog })
const contract = {
  name: 'killed',
  ordering: 'key',
  delivery: { attempts: 5, backoff: { firstMs: 1, maxMs: 1 }, timeoutMs: 10_000 },
  produces: [{ topic: topics.toolResults, type: toolCallFinished }],
} as const
const insertEffect = 'INSERT INTO effect (id) VALUES ($1)'
const countCall = (name: string) => database.query('INSERT INTO call (name) VALUES ($1)', [name])

const delivery =
  execution === 'transaction'
    ? createDelivery(
        { ...contract, execution: 'transaction' },
        async ({ id }, { tx, emit }) => {
          await tx.query(insertEffect, [id])
          emit(toolCallFinished, finished('c', id), { key: id })
        },
        { ...deps, outbox },
      )
    : createDelivery(
        { ...contract, execution: 'steps' },
        async ({ id }, { step, commit }) => {
          await step('ask', { effect: 'idempotent' }, ({ idempotencyKey }) => countCall(`ask ${idempotencyKey}`))
          const charge = await step('charge', { effect: 'once' }, async () => void (await countCall('charge')))
          await commit(async ({ tx, emit }) => {
            await tx.query(insertEffect, [`${id} ${charge.outcome}`])
            emit(toolCallFinished, finished('c', id), { key: id })
          })
        },
        { ...deps, outbox },
      )

await database.start(AbortSignal.timeout(5_000))
await eventLog.start(AbortSignal.timeout(5_000))

const server = createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    const body = Buffer.concat(chunks)
    const decoded = decodeHttpEvent({ headers: request.headers, body }, { bind: () => undefined })
    if (!decoded.ok) throw new Error(decoded.message)
    const token = request.headers[laneTokenHeader]
    const answering =
      typeof token === 'string'
        ? delivery.run({ ...decoded, raw: body }, token)
        : delivery.accept({ ...decoded, raw: body })
    void answering.then(({ status }) => response.writeHead(status).end())
  })
})
server.listen(0, '127.0.0.1', () => process.stdout.write(`listening on ${(server.address() as AddressInfo).port}\n`))

// As outbox-sync: with the URL of the function, the process drives lanes as well.
if (functionUrl !== '') {
  await createLaneDriver({ functionUrl: () => functionUrl }, deps).start(AbortSignal.timeout(5_000))
  process.stdout.write('driving\n')
}
