// `sluice dead-letters` and `sluice verify` as a user runs them: processes of their own, on a real database, with a real function.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
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

const main = fileURLToPath(new URL('../../cli/main.ts', import.meta.url))

interface Ran {
  readonly code: number | null
  readonly out: string
}

interface Started {
  readonly database: Database
  readonly ids: readonly string[]
  readonly sluice: (...args: readonly string[]) => Promise<Ran>
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
    sluice: (...args) => run(args, { DATABASE_URL: databaseUrl, SLUICE_HOME: '/nonexistent', ...urls }),
    drive: async () => {
      const config = loadConfig({ ...env, ...urls })
      await startForTest(t, { definition: outboxSync, behaviour: { compose: createOutboxSync }, config, log })
    },
  }
}

function run(args: readonly string[], env: Readonly<Record<string, string>>): Promise<Ran> {
  const child = spawn(process.execPath, [main, ...args], { env: { PATH: process.env['PATH'] ?? '', ...env } })
  let out = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (out += text))
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, out })))
}

test('list, show, plan, dry run, replay: what a person does with a failure that was mended', async (t) => {
  const { sluice, ids, drive } = await start(t)
  const [first = ''] = ids

  const list = await sluice('dead-letters', 'list', '--function', 'tool-executor', '--since', '1h')
  assert.equal(list.code, 0, list.out)
  assert.match(
    list.out,
    new RegExp(`${first}  .*  tool-executor  handler_failed  tool\\.call\\.requested\\.v1 key event:`),
  )
  assert.match(list.out, /\n2 dead letters\n$/)

  const show = await sluice('dead-letters', 'show', first)
  assert.match(show.out, /cause {8}handler_failed: a planted failure\n/)
  assert.match(show.out, /"arguments"/)

  const plan = await sluice('dead-letters', 'plan')
  assert.match(
    plan.out,
    /2 dead, in 2 lanes, .*\n.*a planted failure\n {2}a replay: 2 back to the ends of their lanes\n1 kind of failure/,
  )

  const dry = await sluice('dead-letters', 'replay', '--dry-run', first)
  assert.equal(dry.code, 0, dry.out)
  assert.match(
    dry.out,
    /would be done .*\n {2}step run \(read\): ran\n {2}step commit \(transaction\): ran\n {2}emits to tool\.results, key c\d: \{/,
  )

  await drive()
  const replay = await sluice('dead-letters', 'replay', '--function', 'tool-executor', '--reason', 'mended')
  assert.equal(replay.code, 0, replay.out)
  assert.match(replay.out, /trying .* first\n.*it is done; the rest follows\n/)
  assert.match(replay.out, /2 done, 0 waiting in their lanes, 0 dead again\n$/)

  const again = await sluice('dead-letters', 'replay', first)
  assert.equal(again.code, 1)
  assert.match(again.out, /refused: the ledger says that it was replayed already/)
  const shown = await sluice('dead-letters', 'show', first)
  assert.match(shown.out, /state {8}replayed .* by cli:.*: mended\n/)
})

test('discard needs a reason, and a replay of everything needs to be asked for', async (t) => {
  const { sluice, database } = await start(t)
  for (const [args, words] of [
    [['replay'], /name ids or a filter, or say --all/],
    [['discard', '--all'], /needs a --reason/],
  ] as const) {
    const { code, out } = await sluice('dead-letters', ...args)
    assert.notEqual(code, 0, args.join(' '))
    assert.match(out, words)
  }
  assert.equal((await database.query('SELECT FROM sluice.replay')).rowCount, 0)

  const discarded = await sluice('dead-letters', 'discard', '--all', '--reason', 'a test')
  assert.match(discarded.out, /^2 discarded, 0 refused\n$/)
  const json = await sluice('dead-letters', 'list', '--state', 'discarded', '--json')
  assert.equal((JSON.parse(json.out) as { readonly dead_letters: unknown[] }).dead_letters.length, 2)
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
  assert.equal(clean.code, 0, clean.out)
  assert.match(clean.out, /^outbox-position +2 read {2}ok\n/)
  assert.match(clean.out, /log-position +2 read {2}ok\nall is well: \d+ rows read\n$/)

  await database.query(`UPDATE sluice.outbox SET log_offset = NULL WHERE key = 'c1'`)
  await database.query(`UPDATE sluice.outbox SET id = 'another' WHERE key = 'c2'`)
  const wrong = await sluice('verify')
  assert.equal(wrong.code, 1)
  assert.match(
    wrong.out,
    /outbox-position .* 1 wrong\n {2}outbox tool\.results key c1 sequence 1, event .*: marked as sent/,
  )
  assert.match(wrong.out, /log-position .* 1 wrong\n {2}outbox tool\.results key c2 .*: the log has event .* there\n/)
  assert.match(wrong.out, /2 offenders\n$/)
})
