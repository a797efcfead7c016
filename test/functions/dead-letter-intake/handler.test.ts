// The outer net from end to end: a KafkaSource that gives up, its sink, the dead-letter topic, and dead-letter-intake behind a
// KafkaSource of its own.

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import { createDeadLetterIntake } from '../../../functions/dead-letter-intake/compose.ts'
import { deadLetterIntake } from '../../../functions/dead-letter-intake/function.ts'
import { toolExecutor } from '../../../functions/tool-executor/function.ts'
import { createKafkaSink } from '../../../local/kafka-sink/index.ts'
import { createHttpSender, createKafkaSource, type KafkaSourceSpec } from '../../../local/kafka-source/index.ts'
import { kafkaSourcesOf } from '../../../local/platform/index.ts'
import { loadConfig } from '../../../shared/config/index.ts'
import type { Database } from '../../../shared/database/index.ts'
import { planReplay, replayDeadLetters } from '../../../shared/delivery/index.ts'
import { createEventLog, type EventLog } from '../../../shared/event-log/index.ts'
import { allTopics, dataHash, encodeRecord, type CloudEvent } from '../../../shared/events/index.ts'
import { systemClock as clock } from '../../../shared/time/index.ts'
import { atEnd, createTestDatabase, until } from '../../support/index.ts'
import { openDatabase, startForTest, testLogger } from '../support/platform.ts'

interface Net {
  readonly database: Database
  readonly eventLog: EventLog
  readonly executorUrl: string
  append(event: CloudEvent, topic?: string): Promise<void>
  letters(): Promise<readonly Record<string, unknown>[]>
  /** Waits until the intake has taken this many records. */
  taken(count: number): Promise<void>
}

async function start(t: TestContext, answer = 400): Promise<Net> {
  const { url: databaseUrl } = await createTestDatabase(t)
  const log = testLogger()
  const database = await openDatabase(t, databaseUrl, log)
  const eventLog = createEventLog({ kafkaBrokers: [] }, { database, clock, log, name: 'test' })
  await eventLog.start(new AbortController().signal)
  atEnd(t, () => eventLog.stop())
  await eventLog.ensureTopics(allTopics)

  const executor = createServer((request, response) => {
    request.resume().on('end', () => response.writeHead(answer, { 'kne-sluicecause': 'overloaded' }).end('no'))
  })
  executor.listen(0, '127.0.0.1')
  await until('the function listens', () => executor.listening)
  atEnd(t, async () => {
    executor.close()
    executor.closeAllConnections()
  })
  const executorUrl = `http://127.0.0.1:${(executor.address() as AddressInfo).port}`
  const config = loadConfig({
    DATABASE_URL: databaseUrl,
    PORT: '0',
    SLUICE_OPERATIONS_PORT: '0',
    SLUICE_FUNCTION_URLS: `tool-executor=${executorUrl}`,
  })
  const intake = await startForTest(t, {
    definition: deadLetterIntake,
    behaviour: { compose: createDeadLetterIntake },
    config,
    log,
  })
  const sink = createKafkaSink({ eventLog })
  await sink.start(new AbortController().signal)
  atEnd(t, () => sink.stop())
  const sender = createHttpSender({ clock })
  atEnd(t, async () => sender.close())
  const sources: readonly KafkaSourceSpec[] = [
    ...kafkaSourcesOf(toolExecutor, `${executorUrl}/`, sink.url),
    ...kafkaSourcesOf(deadLetterIntake, `http://127.0.0.1:${intake.port}/`, sink.url).filter(
      ({ spec }) => spec.topics[0] === 'tool.requests.dlq',
    ),
  ]
  assert.equal(sources.length, 2)
  for (const source of sources) {
    const running = createKafkaSource(
      { source, wake: 'append', pollEveryMs: 200, maxPollRecords: 50, commitEveryMs: 500 },
      { log: eventLog, sender, clock, logger: log, spanId: () => randomBytes(8).toString('hex') },
    )
    await running.start(new AbortController().signal)
    atEnd(t, () => running.stop())
  }
  return {
    database,
    eventLog,
    executorUrl,
    append: async (event, topic = 'tool.requests') =>
      void (await eventLog.append([{ topic, ...encodeRecord(event, { key: 'k' }) }])),
    letters: async () =>
      (
        await database.query(
          `SELECT function, id, source, key, tenant, topic, cause, message, origin, event FROM sluice.dead_letter ORDER BY at`,
        )
      ).rows,
    taken: async (count) => {
      await until(`the intake took ${count} records`, async () => {
        const { rowCount } = await database.query(`SELECT FROM sluice.inbox WHERE function = 'dead-letter-intake'`)
        return rowCount >= count
      })
    },
  }
}

const event = (id: string, extensions: Readonly<Record<string, string>> = {}): CloudEvent => ({
  specversion: '1.0',
  id,
  source: '/test',
  type: 'tool.call.requested.v1',
  datacontenttype: 'application/json',
  data: { session_id: 's', turn_id: 't', call_id: id, tool: 'echo', arguments: {} },
  extensions: { partitionkey: 'k', tenant: 'acme', ...extensions },
})

test('an event that its source gave up becomes a dead letter of its function, and can be replayed', async (t) => {
  const net = await start(t)
  await net.append(event('e1'))
  const [letter] = await until('the dead letter is there', async () => {
    const letters = await net.letters()
    return letters.length > 0 && letters
  })

  assert.deepEqual(
    { ...letter, event: undefined },
    {
      function: 'tool-executor',
      id: 'e1',
      source: '/test',
      key: 'k',
      tenant: 'acme',
      topic: 'tool.requests',
      cause: 'overloaded',
      message: `The source of the event gave it up: status 400 from ${net.executorUrl}/`,
      origin: 'source',
      event: undefined,
    },
  )
  const original = letter?.['event'] as Readonly<Record<string, unknown>>
  assert.deepEqual(original['data'], event('e1').data)
  assert.deepEqual(
    [original['sluicetopic'], original['sluiceid'], original['knativeerrordest'], original['sluicecause']],
    ['tool.requests', undefined, undefined, undefined],
  )
  const inbox = await net.database.query(`SELECT state FROM sluice.inbox WHERE function = 'tool-executor'`)
  assert.deepEqual(inbox.rows, [{ state: 'dead' }])

  // Nobody knows yet that the function has lanes: it never took an event.
  const operator = { by: 'test', reason: 'back' }
  const options = { filter: {}, operator, patienceMs: 1 }
  const early = await replayDeadLetters(options, { database: net.database, clock }, new AbortController().signal)
  assert.deepEqual(
    early.kinds[0]?.refused.map(({ reason }) => reason),
    ['no_lanes'],
  )
  await net.database.query(`INSERT INTO sluice.inbox (function, source, id, state, data_hash)
    VALUES ('tool-executor', '/test', 'earlier', 'done', '')`)
  await replayDeadLetters(options, { database: net.database, clock }, new AbortController().signal)
  const parked = await net.database.query(`SELECT function, key, id FROM sluice.parked`)
  assert.deepEqual(parked.rows, [{ function: 'tool-executor', key: 'k', id: 'e1' }])
})

test('an event that its function has after all is noted only', async (t) => {
  const net = await start(t)
  for (const state of ['done', 'parked', 'dead']) {
    await net.database.query(
      `INSERT INTO sluice.inbox (function, source, id, state, data_hash) VALUES ('tool-executor', '/test', $1, $1, $2)`,
      [state, dataHash(event(state))],
    )
    await net.append(event(state))
  }
  await net.taken(3)
  assert.deepEqual(await net.letters(), [])
})

test('two records of one event are two: our own copy is skipped, and the source’s record is not taken for a repeat', async (t) => {
  const net = await start(t, 200)
  const ours = '0199b7a0-0000-7000-8000-000000000000'
  await net.database.query(
    `INSERT INTO sluice.dead_letter (dead_letter_id, function, tenant, cause, message, fingerprint, attempts, raw, function_version, config_version)
     VALUES ($1, 'another', 'acme', 'rejected', 'm', '0123456789abcdef', 1, '', 'v', 'c')`,
    [ours],
  )
  await net.append(event('e1', { sluicecause: 'rejected', sluicedeadletter: ours }), 'tool.requests.dlq')
  await net.append(event('e1', { knativeerrordest: `${net.executorUrl}/` }), 'tool.requests.dlq')
  await net.append(
    event('e1', { sluicecause: 'rejected', sluicedeadletter: ours.replace('0199', '0198') }),
    'tool.requests.dlq',
  )
  await net.taken(3)
  const letters = (await net.letters()).filter(({ function: name }) => name !== 'another')
  assert.deepEqual(
    letters
      .map(({ function: name, cause }) => [name, cause])
      .toSorted(([a], [b]) => String(a).localeCompare(String(b))),
    [
      ['tool-executor', 'source_gave_up'],
      // no dead letter of ours has that id, whatever the record says
      ['unknown', 'rejected'],
    ],
  )
})

test('what cannot be told from another event has no identity, and is recorded once for each record', async (t) => {
  const net = await start(t, 200)
  const dest = { knativeerrordest: `${net.executorUrl}/` }
  for (const id of ['what?', 'what?']) await net.append(event(id, dest), 'tool.requests.dlq')
  await net.taken(2)
  const letters = await net.letters()
  assert.deepEqual(
    letters.map(({ id, source }) => [id, source]),
    [
      [null, null],
      [null, null],
    ],
  )
})

test('a plain record that its source gave up is an event of the one type of its topic, under the id that its function would see', async (t) => {
  const net = await start(t)
  const { data } = event('plain')
  await net.eventLog.append([
    { topic: 'tool.requests', key: Buffer.from('k'), headers: [], value: Buffer.from(JSON.stringify(data)) },
  ])
  const [letter] = await until('it is recorded', async () => {
    const found = await net.letters()
    return found.length > 0 && found
  })
  const recorded = letter?.['event'] as Readonly<Record<string, unknown>>
  assert.equal(letter?.['function'], 'tool-executor')
  assert.match(String(letter?.['id']), /^tool\.requests\/partition:\d\/offset:0$|^partition:\d\/offset:0/)
  assert.deepEqual([recorded['type'], recorded['data']], ['tool.call.requested.v1', data])
  const { groups } = await planReplay(net.database, {})
  assert.deepEqual(
    groups.map(({ replayable }) => replayable),
    [1],
  )
})

test('a record that is no event at all is kept too', async (t) => {
  const net = await start(t, 200)
  await net.eventLog.append([{ topic: 'tool.requests.dlq', key: null, headers: [], value: Buffer.from('{"broken') }])
  const letters = await until('it is recorded', async () => {
    const found = await net.letters()
    return found.length > 0 && found
  })
  assert.deepEqual(
    letters.map(({ origin, id }) => [origin, id]),
    [['source', null]],
  )
})
