// A small run of the world: some events, one fault at most, the world started again until it is quiet; then the history.

import { appendFileSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { json } from 'node:stream/consumers'
import type { TestContext } from 'node:test'
import { secret } from '../../../shared/config/index.ts'
import { createDatabase, migrate, type Database } from '../../../shared/database/index.ts'
import { createPostgresEventLog } from '../../../shared/event-log/index.ts'
import { deadLetterTopicOf, topics } from '../../../shared/events/index.ts'
import { createLogger } from '../../../shared/telemetry/index.ts'
import { systemClock as clock } from '../../../shared/time/index.ts'
import { atEnd, createTestDatabase, isAlive, startChild, temporaryFolder, until } from '../../support/index.ts'
import { collectHistory } from '../history/collect.ts'
import { fileOf, readHistory, writeList } from '../history/history-files.ts'
import { groups, type BankCall, type Conduct, type History } from '../history/history.ts'
import { recordOf } from '../senders.ts'
import { tablesSql } from '../workload/functions.ts'
import type { PlannedSend } from '../workload/plan-sends.ts'

export interface Scenario {
  /** The failpoint at which the first world dies. */
  readonly dies?: string
  /** All events have one key. */
  readonly oneKey?: boolean
  /** Some transactions take long to commit. */
  readonly slowCommits?: boolean
  /** The counter takes long before its COMMIT, so that offsets are committed meanwhile. */
  readonly slowEffects?: boolean
  /** A run is silent until its lease is over and another has begun; then both go on. */
  readonly zombie?: boolean
  readonly relayAfterMs?: number
}

const usedTopics = [topics.toolRequests, topics.toolResults, topics.conversationOutbound]
const allTopics = usedTopics.flatMap((topic) => [topic, deadLetterTopicOf(topic)])

// Deferred to COMMIT: the row has its place in every sequence long before anybody can see it.
const slowCommitSql = `
CREATE FUNCTION crash.dawdle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.4); RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER slow_commit AFTER INSERT ON crash.effect DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW WHEN (NEW.actor = 'counter' AND NEW.amount % 4 = 0) EXECUTE FUNCTION crash.dawdle()`

const slowEffectSql = `
CREATE FUNCTION crash.linger() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.1); RETURN NULL; END $$;
CREATE TRIGGER slow_effect AFTER INSERT ON crash.effect
  FOR EACH ROW WHEN (NEW.actor = 'counter') EXECUTE FUNCTION crash.linger()`

// Long enough for two runs of the event to be in it together.
const slowBookingSql = `
CREATE FUNCTION crash.book_slowly() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(2); RETURN NULL; END $$;
CREATE TRIGGER slow_booking AFTER INSERT ON crash.effect
  FOR EACH ROW WHEN (NEW.actor = 'booking' AND NEW.origin = 'e3') EXECUTE FUNCTION crash.book_slowly()`

/** What time would do: leases of the dead run out. */
const expireSql = `UPDATE sluice.lane SET lease_until = clock_timestamp() WHERE lease_until IS NOT NULL;
UPDATE sluice.outbox_key SET lease_until = NULL, token = NULL`

const startsAtMost = 4

export async function runScenario(t: TestContext, root: string, scenario: Scenario): Promise<History> {
  const folder = temporaryFolder(t)
  const { url } = await createTestDatabase(t, { migrated: false })
  const log = createLogger({ function: 'scenario', level: 'silent' })
  const limits = { poolSize: 4, statementTimeoutMs: 20_000, lockTimeoutMs: 5_000, applicationName: 'scenario' }
  const database = createDatabase({ url: secret(url), ...limits }, { log, clock })
  atEnd(t, () => database.stop())
  await database.start(AbortSignal.timeout(20_000))
  await migrate(database, { directory: join(root, 'schemas', 'database'), log })
  await database.query(tablesSql)
  if (scenario.slowCommits === true) await database.query(slowCommitSql)
  if (scenario.slowEffects === true) await database.query(slowEffectSql)
  if (scenario.zombie === true) await database.query(slowBookingSql)
  const eventLog = createPostgresEventLog({}, { database, clock, log })
  atEnd(t, () => eventLog.stop())
  await eventLog.start(AbortSignal.timeout(20_000))
  await eventLog.ensureTopics(allTopics)

  const sends = planned(scenario)
  await eventLog.append(sends.map(recordOf))
  writeList(
    folder,
    'sends',
    sends.map((send) => ({ ...send, outcome: 'acked', at: 0 })),
  )
  for (const list of ['runs', 'bankCalls']) writeFileSync(fileOf(folder, list), '')
  const bankUrl = await startScenarioBank(t, { file: fileOf(folder, 'bankCalls'), database, scenario })

  for (let start = 1; start <= startsAtMost; start += 1) {
    const env = {
      TEST_URL: url,
      TEST_BANK_URL: bankUrl,
      TEST_RUNS_FILE: fileOf(folder, 'runs'),
      TEST_RELAY_AFTER_MS: String(scenario.relayAfterMs ?? 0),
      TEST_FAILPOINT: start === 1 ? (scenario.dies ?? '') : '',
    }
    const world = startChild(t, ['test/crash/seeded-bugs/world-process.ts'], { env, cwd: root })
    const outcome = await until(
      'the world is dead, or has no more to do',
      () => world.lines.find((line) => /^(quiet|stuck)/.test(line)) ?? (isAlive(world.pid) ? undefined : 'dead'),
      { limitMs: 40_000, everyMs: 50 },
    )
    world.kill('SIGKILL')
    const { code } = await world.exited()
    if (code !== null && code !== 0) throw new Error(`the world failed: ${world.lines.slice(0, 12).join('\n')}`)
    if (outcome !== 'dead') break
    await database.query(expireSql)
  }
  await collectHistory({ folder, topics: allTopics.map(({ name }) => name), groups }, { database, eventLog })
  return readHistory(folder)
}

const keys = ['a', 'b', 'c', 'd']
const events = 24

/** Every kind of event, in a fixed order. */
function planned({ oneKey = false }: Scenario): readonly PlannedSend[] {
  const numbers = new Map<string, number>()
  const conducts: Readonly<Record<number, Conduct>> = { 4: 'fail-once', 11: 'reject', 14: 'fail-once', 17: 'exhaust' }
  const first = Array.from({ length: events }, (_, index): PlannedSend => {
    const key = oneKey ? 'a' : (keys[index % keys.length] ?? 'a')
    const number = (numbers.get(key) ?? 0) + 1
    numbers.set(key, number)
    const conduct = conducts[index + 1] ?? 'succeed'
    return { kind: 'first', id: `e${index + 1}`, key, number, amount: (index % 9) + 1, conduct, oversized: false }
  })
  return first.flatMap((send, index) => {
    const earlier = first[index - 6]
    if (earlier === undefined || index % 7 !== 0) return [send]
    const again = { ...earlier, kind: 'repeat' } as const
    return index % 2 === 0 ? [send, again] : [send, again, { ...again, kind: 'conflict', amount: again.amount + 100 }]
  })
}

interface ScenarioBank {
  readonly file: string
  readonly database: Database
  readonly scenario: Scenario
}

/** As the bank of the crash run, never moody. In the zombie's scenario the first charge waits for the second of its event. */
async function startScenarioBank(t: TestContext, { file, database, scenario }: ScenarioBank): Promise<string> {
  const known = new Set<string>()
  const again = Promise.withResolvers<void>()
  let zombie = ''

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const call = (await json(request)) as Omit<BankCall, 'applied'>
    const name = `${call.step} ${call.idempotencyKey}`
    appendFileSync(file, `${JSON.stringify({ ...call, applied: !known.has(name) })}\n`)
    known.add(name)
    // The third event books in a transaction of its own, in which two runs can meet.
    if (scenario.zombie === true && call.step === 'charge' && call.origin === 'e3') {
      if (zombie === '') {
        zombie = call.origin
        await database.query('UPDATE sluice.lane SET lease_until = clock_timestamp() WHERE token IS NOT NULL')
        await again.promise
      } else again.resolve()
    }
    response.end()
  }

  const server = createServer((request, response) => void serve(request, response))
  server.listen(0, '127.0.0.1')
  await until('the bank listens', () => server.listening)
  atEnd(t, () => {
    server.close()
    server.closeAllConnections()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
}
