import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { outboxSync } from '../../../functions/outbox-sync/function.ts'
import { sweepTurns, type SweepDeps } from '../../../functions/outbox-sync/sweep-turns.ts'
import type { Database } from '../../../shared/database/index.ts'
import { createOutbox, createTransactional } from '../../../shared/delivery/index.ts'
import { createInstruments } from '../../../shared/telemetry/index.ts'
import { systemClock as clock } from '../../../shared/time/index.ts'
import { createTestDatabase } from '../../support/index.ts'
import { openDatabase, testLogger } from '../support/platform.ts'

async function sweeper(t: TestContext): Promise<{ readonly database: Database; readonly deps: SweepDeps }> {
  const { url } = await createTestDatabase(t)
  const database = await openDatabase(t, url)
  const instruments = createInstruments({ function: 'test' })
  const failpoints = (): void => undefined
  const outbox = createOutbox({}, { database, clock, log: testLogger(), instruments, failpoints, random: Math.random })
  return { database, deps: createTransactional(outboxSync, { database, outbox, clock, failpoints }) }
}

interface TurnFacts {
  readonly tenant?: string
  readonly state: string
  /** Seconds ago. */
  readonly deadline?: number
  readonly accepted?: number
  readonly swept?: number
}

async function addTurn(
  database: Database,
  id: string,
  { tenant = 'local', state, deadline, accepted = 0, swept }: TurnFacts,
): Promise<void> {
  await database.query('INSERT INTO agent.session (tenant, session_id) VALUES ($1, $2)', [tenant, id])
  await database.query(
    `INSERT INTO agent.turn (tenant, session_id, turn_id, ordinal, state, deadline_at, accepted_at, swept_at)
     VALUES ($1, $2, $2, 1, $3, clock_timestamp() - $4 * interval '1 second', clock_timestamp() - $5 * interval '1 second', clock_timestamp() - $6 * interval '1 second')`,
    [tenant, id, state, deadline ?? null, accepted, swept ?? null],
  )
}

const asked = async (database: Database): Promise<readonly string[]> => {
  const { rows } = await database.query<{ text: string }>(
    `SELECT tenant || ' ' || key || ' ' || (event->'data'->>'action') || ' ' || (event->'data'->>'turn_id') AS text FROM sluice.outbox ORDER BY 1`,
  )
  return rows.map(({ text }) => text)
}

test(
  'turns past their deadline, and messages that nobody handled, are asked about under their own tenant',
  { timeout: 30_000 },
  async (t) => {
    const { database, deps } = await sweeper(t)
    await addTurn(database, 'tool-never-answered', { state: 'awaiting-tools', deadline: 6, accepted: 100 })
    await addTurn(database, 'run-is-dead', { state: 'thinking', deadline: 60, accepted: 100, tenant: 'acme' })
    await addTurn(database, 'message-is-dead', { state: 'accepted', accepted: 601 })
    await addTurn(database, 'forgotten-in-queue', { state: 'queued', accepted: 601 })
    // not yet, or not any more
    await addTurn(database, 'in-grace', { state: 'thinking', deadline: 4, accepted: 100 })
    await addTurn(database, 'in-time', { state: 'awaiting-tools', deadline: -60, accepted: 100 })
    await addTurn(database, 'just-accepted', { state: 'accepted', accepted: 599 })
    await addTurn(database, 'completed', { state: 'completed', deadline: 600, accepted: 700 })
    await addTurn(database, 'failed', { state: 'failed', deadline: 600, accepted: 700 })
    await addTurn(database, 'asked-before', { state: 'awaiting-tools', deadline: 600, accepted: 700, swept: 59 })
    await addTurn(database, 'asked-long-ago', { state: 'awaiting-tools', deadline: 600, accepted: 700, swept: 61 })
    assert.equal(await sweepTurns(deps), 5)
    assert.deepEqual(await asked(database), [
      'acme run-is-dead resume run-is-dead',
      'local asked-long-ago resume asked-long-ago',
      'local forgotten-in-queue resume forgotten-in-queue',
      'local message-is-dead resume message-is-dead',
      'local tool-never-answered resume tool-never-answered',
    ])
    assert.equal(await sweepTurns(deps), 0, 'each is asked about once a minute')
  },
)

test('two sweepers at once ask about each turn once', { timeout: 30_000 }, async (t) => {
  const { database, deps } = await sweeper(t)
  for (let n = 0; n < 20; n += 1)
    await addTurn(database, `turn-${n}`, { state: 'thinking', deadline: 60, accepted: 100 })
  const counts = await Promise.all([sweepTurns(deps), sweepTurns(deps), sweepTurns(deps)])
  assert.equal(
    counts.reduce((sum, count) => sum + count, 0),
    20,
  )
  assert.equal((await asked(database)).length, 20)
})
