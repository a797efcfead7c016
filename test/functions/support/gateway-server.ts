// The gateway alone, on real ports over a real Postgres, with a channel and a database that the test can use beside it.

import type { TestContext } from 'node:test'
import type { GatewayOptions } from '../../../functions/gateway/app.ts'
import { createGateway } from '../../../functions/gateway/compose.ts'
import { gateway } from '../../../functions/gateway/function.ts'
import { loadConfig } from '../../../shared/config/index.ts'
import type { Database } from '../../../shared/database/index.ts'
import { createEventLog } from '../../../shared/event-log/index.ts'
import { allTopics } from '../../../shared/events/index.ts'
import type { Service } from '../../../shared/function/start-service.ts'
import { createKeyValue, type Channel } from '../../../shared/key-value/index.ts'
import type { Logger } from '../../../shared/telemetry/index.ts'
import { systemClock as clock } from '../../../shared/time/index.ts'
import { atEnd, createTestDatabase } from '../../support/index.ts'
import { openDatabase, startForTest, testLogger } from './platform.ts'

export interface GatewayServerOptions extends Partial<GatewayOptions> {
  readonly instances?: number
  readonly env?: Readonly<Record<string, string>>
  readonly log?: Logger
}

export interface GatewayServer {
  readonly url: string
  readonly urls: readonly string[]
  readonly services: readonly Service[]
  readonly database: Database
  readonly channel: Channel
}

export async function startGateway(
  t: TestContext,
  { instances = 1, env = {}, log = testLogger(), ...options }: GatewayServerOptions = {},
): Promise<GatewayServer> {
  const { url: databaseUrl } = await createTestDatabase(t)
  const database = await openDatabase(t, databaseUrl)
  const eventLog = createEventLog({ kafkaBrokers: [] }, { database, clock, log, name: 'test' })
  await eventLog.ensureTopics(allTopics)
  const { channel, component } = createKeyValue({ redisUrl: undefined }, { database, clock, log, name: 'test' })
  await component.start(new AbortController().signal)
  atEnd(t, () => component.stop())
  const services: Service[] = []
  while (services.length < instances) {
    const config = loadConfig({
      DATABASE_URL: databaseUrl,
      PORT: '0',
      SLUICE_OPERATIONS_PORT: '0',
      SLUICE_DATABASE_POOL_SIZE: '10',
      ...env,
    })
    const behaviour = { compose: (resources: Parameters<typeof createGateway>[0]) => createGateway(resources, options) }
    services.push(await startForTest(t, { definition: gateway, behaviour, config, log }))
  }
  const urls = services.map(({ port }) => `http://127.0.0.1:${port}`)
  return { url: urls[0] ?? '', urls, services, database, channel }
}

/** Stores durable events as the conversation-worker would, without telling anybody. Returns the last position. */
export async function storeEvents(
  database: Database,
  sessionId: string,
  {
    types,
    turnId = 't1',
    padding = 0,
  }: { readonly types: readonly string[]; readonly turnId?: string; readonly padding?: number },
): Promise<number> {
  const { rows } = await database.query<{ last: number }>(
    `WITH allotted AS (
       UPDATE agent.session SET last_position = last_position + $2 WHERE session_id = $1 RETURNING tenant, last_position AS last
     ), stored AS (
       INSERT INTO agent.session_event (tenant, session_id, position, event_id, type, turn_id, data)
       SELECT tenant, $1, last - $2 + number, gen_random_uuid()::text, type, $4, 
         json_strip_nulls(json_build_object('turn_id', $4::text, 'number', number, 'padding', nullif(repeat('x', $5), '')))
       FROM allotted, unnest($3::text[]) WITH ORDINALITY AS given (type, number)
     ) SELECT last FROM allotted`,
    [sessionId, types.length, types, turnId, padding],
  )
  return rows[0]?.last ?? 0
}

/** A session of this tenant that nothing has happened in. */
export const createSession = async (database: Database, sessionId: string, tenant = 'local'): Promise<string> => {
  await database.query('INSERT INTO agent.session (tenant, session_id) VALUES ($1, $2)', [tenant, sessionId])
  return sessionId
}
