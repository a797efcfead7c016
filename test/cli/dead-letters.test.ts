// `sluice dead-letters` and `sluice verify` as a user runs them: processes of their own, on a real database, with a real function.

import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { createOutboxSync } from '../../functions/outbox-sync/compose.ts'
import { outboxSync } from '../../functions/outbox-sync/function.ts'
import { createToolExecutor } from '../../functions/tool-executor/compose.ts'
import { toolExecutor } from '../../functions/tool-executor/function.ts'
import { loadConfig } from '../../shared/config/index.ts'
import type { Database } from '../../shared/database/index.ts'
import { createEventLog } from '../../shared/event-log/index.ts'
import { allTopics, toolCallRequested } from '../../shared/events/index.ts'
import { systemClock as clock } from '../../shared/time/index.ts'
import { buryParked } from '../functions/support/buried.ts'
import { sendEvent } from '../functions/support/events.ts'
import { openDatabase, startForTest, testLogger } from '../functions/support/platform.ts'
import { createTestDatabase, until } from '../support/index.ts'
import { runCommand } from './run-command.ts'

interface Started {
  readonly database: Database
  readonly ids: readonly string[]
  /** A command to its end, with what it printed on both streams. */
  readonly sluice: (...args: readonly string[]) => Promise<{ readonly code: number | null; readonly output: string }>
  drive(): Promise<void>
}

/** A tool-executor with two dead letters of calls that would succeed now. */
async function start(t: TestContext): Promise<Started> {
  const { url: databaseUrl } = await createTestDatabase(t)
  const log = testLogger()
  const database = await openDatabase(t, databaseUrl, log)
  await createEventLog({ kafkaBrokers: [] }, { database, clock, log, name: 'test' }).ensureTopics(allTopics)
  const env = { DATABASE_URL: databaseUrl, PORT: '0', SLUICE_OPERATIONS_PORT: '0' }
  const behaviour = { compose: (resources: Parameters<typeof createToolExecutor>[0]) => createToolExecutor(resources) }
  const { port } = await startForTest(t, { definition: toolExecutor, behaviour, config: loadConfig(env), log })
  for (const callId of ['c1', 'c2']) {
    const data = { session_id: callId, turn_id: 't', call_id: callId, tool: 'echo', arguments: { text: 'hello' } }
    assert.equal(await sendEvent(port, { type: toolCallRequested, data }, { id: callId }), 202)
  }
  const ids = await buryParked(database, 'tool-executor')
  const urls = { SLUICE_FUNCTION_URLS: `tool-executor=http://127.0.0.1:${port}` }
  return {
    database,
    ids,
    sluice: async (...args) => {
      const own = { DATABASE_URL: databaseUrl, SLUICE_HOME: '/nonexistent', ...urls }
      const { code, stdout, stderr } = await runCommand(args, { env: own })
      return { code, output: stdout + stderr }
    },
    drive: async () => {
      const config = loadConfig({ ...env, ...urls })
      await startForTest(t, { definition: outboxSync, behaviour: { compose: createOutboxSync }, config, log })
    },
  }
}

test('list, show, plan, dry run, replay: what a person does with a failure that was mended', async (t) => {
  const { sluice, ids, drive } = await start(t)
  const [first = ''] = ids

  const list = await sluice('dead-letters', 'list', '--function', 'tool-executor', '--since', '1h')
  assert.equal(list.code, 0, list.output)
  assert.match(
    list.output,
    new RegExp(`${first}  .*  tool-executor  handler_failed  tool\\.call\\.requested\\.v1 key event:`),
  )
  assert.match(list.output, /\n2 dead letters\n$/)

  const show = await sluice('dead-letters', 'show', first)
  assert.match(show.output, /cause {8}handler_failed: a planted failure\n/)
  assert.match(show.output, /"arguments"/)

  const plan = await sluice('dead-letters', 'plan')
  assert.match(
    plan.output,
    /2 dead, in 2 lanes, .*\n.*a planted failure\n {2}a replay: 2 back to the ends of their lanes\n1 kind of failure/,
  )

  const dry = await sluice('dead-letters', 'replay', '--dry-run', first)
  assert.equal(dry.code, 0, dry.output)
  assert.match(
    dry.output,
    /would be done .*\n {2}step run \(read\): ran\n {2}step commit \(transaction\): ran\n {2}emits to tool\.results, key c\d: \{/,
  )

  await drive()
  const replay = await sluice('dead-letters', 'replay', '--function', 'tool-executor', '--reason', 'mended')
  assert.equal(replay.code, 0, replay.output)
  assert.match(replay.output, /trying .* first\n.*it is done; the rest follows\n/)
  assert.match(replay.output, /2 done, 0 waiting in their lanes, 0 dead again\n$/)

  const again = await sluice('dead-letters', 'replay', first)
  assert.equal(again.code, 1)
  assert.match(again.output, /refused: the ledger says that it was replayed already/)
  const shown = await sluice('dead-letters', 'show', first)
  assert.match(shown.output, /state {8}replayed .* by cli:.*: mended\n/)
})

test('discard needs a reason, and a replay of everything needs to be asked for', async (t) => {
  const { sluice, database } = await start(t)
  for (const [args, words] of [
    [['replay'], /name ids or a filter, or say --all/],
    [['discard', '--all'], /needs a --reason/],
  ] as const) {
    const { code, output } = await sluice('dead-letters', ...args)
    assert.notEqual(code, 0, args.join(' '))
    assert.match(output, words)
  }
  assert.equal((await database.query('SELECT FROM sluice.replay')).rowCount, 0)

  const discarded = await sluice('dead-letters', 'discard', '--all', '--reason', 'a test')
  assert.match(discarded.output, /^2 discarded, 0 refused\n$/)
  const json = await sluice('dead-letters', 'list', '--state', 'discarded', '--json')
  assert.equal((JSON.parse(json.output) as { readonly dead_letters: unknown[] }).dead_letters.length, 2)
})

test('verify says what it read when all is well, and names each offender when not', async (t) => {
  const { sluice, database, drive } = await start(t)
  // The planted dead letters never had copies.
  await database.query(`UPDATE sluice.dead_letter SET topic = NULL`)
  await drive()
  await sluice('dead-letters', 'replay', '--all')
  await until('everything is published', async () => {
    const { rowCount } = await database.query(`SELECT FROM sluice.outbox WHERE state = 'pending'`)
    return rowCount === 0
  })

  const clean = await sluice('verify')
  assert.equal(clean.code, 0, clean.output)
  assert.match(clean.output, /^outbox-position +2 read {2}ok\n/)
  assert.match(clean.output, /log-position +2 read {2}ok\nall is well: \d+ rows read\n$/)

  await database.query(`UPDATE sluice.outbox SET log_offset = NULL WHERE key = 'c1'`)
  await database.query(`UPDATE sluice.outbox SET id = 'another' WHERE key = 'c2'`)
  const wrong = await sluice('verify')
  assert.equal(wrong.code, 1)
  assert.match(
    wrong.output,
    /outbox-position .* 1 wrong\n {2}outbox tool\.results key c1 sequence 1, event .*: marked as sent/,
  )
  assert.match(
    wrong.output,
    /log-position .* 1 wrong\n {2}outbox tool\.results key c2 .*: the log has event .* there\n/,
  )
  assert.match(wrong.output, /2 offenders\n$/)
})
