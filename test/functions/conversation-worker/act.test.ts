import assert from 'node:assert/strict'
import { test } from 'node:test'
import { conversationActionRequested, type ConversationActionRequested } from '../../../shared/events/index.ts'
import { until } from '../../support/index.ts'
import { sendEvent } from '../support/events.ts'
import { startPlatform } from '../support/platform.ts'

test('asked to look at a turn again, the worker does what is true of it by now', { timeout: 60_000 }, async (t) => {
  const { database, worker } = await startPlatform(t)
  const addTurn = async (
    sessionId: string,
    turnId: string,
    facts: { state: string; overdue?: boolean; ordinal?: number; cause?: string },
  ): Promise<void> => {
    await database.query(`INSERT INTO agent.session (tenant, session_id) VALUES ('local', $1) ON CONFLICT DO NOTHING`, [
      sessionId,
    ])
    await database.query(
      `INSERT INTO agent.turn (tenant, session_id, turn_id, ordinal, state, deadline_at, interrupt_cause, opening)
       VALUES ('local', $1, $2, $3, $4, clock_timestamp() + $5 * interval '1 minute', $6, $7)`,
      [
        sessionId,
        turnId,
        facts.ordinal ?? 1,
        facts.state,
        facts.overdue === true ? -1 : 1,
        facts.cause ?? null,
        facts.state === 'accepted'
          ? null
          : JSON.stringify({
              eventId: `e-${turnId}`,
              type: 'conversation.message.received.v1',
              data: {},
              text: 'hello',
            }),
      ],
    )
  }
  const look = async (sessionId: string, turnId: string): Promise<void> => {
    const data: ConversationActionRequested = { session_id: sessionId, turn_id: turnId, action: 'resume' }
    assert.equal(await sendEvent(worker.port, { type: conversationActionRequested, data }), 202)
    await until('it was handled', async () => (await database.query('SELECT FROM sluice.parked')).rowCount === 0)
  }
  const turn = async (turnId: string): Promise<string> => {
    const { rows } = await database.query<{ state: string; reason: string | null }>(
      'SELECT state, reason FROM agent.turn WHERE turn_id = $1',
      [turnId],
    )
    return rows.map(({ state, reason }) => `${state} ${reason ?? '-'}`).join()
  }

  await t.test('overdue: it fails with the deadline, and its open calls time out', async () => {
    await addTurn('s1', 'overdue', { state: 'awaiting-tools', overdue: true })
    await database.query(
      `INSERT INTO agent.tool_call (tenant, session_id, turn_id, call_id, round, number, tool, model_call_id, arguments, status)
       VALUES ('local', 's1', 'overdue', 'c1-1', 1, 1, 'echo', 'm', '{}', 'requested'), ('local', 's1', 'overdue', 'c1-2', 1, 2, 'echo', 'n', '{}', 'succeeded')`,
    )
    await look('s1', 'overdue')
    assert.equal(await turn('overdue'), 'failed deadline_exceeded')
    const { rows } = await database.query(
      `SELECT status FROM agent.tool_call WHERE turn_id = 'overdue' ORDER BY call_id`,
    )
    assert.deepEqual(rows, [{ status: 'timed_out' }, { status: 'succeeded' }])
  })

  await t.test('running in time: nothing happens', async () => {
    await addTurn('s2', 'in-time', { state: 'awaiting-tools' })
    await look('s2', 'in-time')
    assert.equal(await turn('in-time'), 'awaiting-tools -')
  })

  await t.test('accepted: its message became a dead letter, so it fails and the client gets an end', async () => {
    await addTurn('s3', 'lost', { state: 'accepted' })
    await look('s3', 'lost')
    assert.equal(await turn('lost'), 'failed internal')
    const { rows } = await database.query(`SELECT type FROM agent.session_event WHERE session_id = 's3'`)
    assert.deepEqual(rows, [{ type: 'conversation.turn.failed.v1' }])
  })

  await t.test('queued in an idle session: it starts, after those that were told to stop ended', async () => {
    await addTurn('s4', 'stopped', { state: 'queued', cause: 'cancelled' })
    await addTurn('s4', 'next', { state: 'queued', ordinal: 2 })
    await look('s4', 'next')
    await until('it was answered', async () => (await turn('next')) === 'completed -')
    assert.equal(await turn('stopped'), 'failed cancelled')
  })

  await t.test('queued behind a running turn, or in a paused session: it waits', async () => {
    await addTurn('s5', 'running', { state: 'awaiting-tools' })
    await addTurn('s5', 'behind', { state: 'queued', ordinal: 2 })
    await look('s5', 'behind')
    assert.equal(await turn('behind'), 'queued -')
    await addTurn('s6', 'paused', { state: 'queued' })
    await database.query(`UPDATE agent.session SET paused = true WHERE session_id = 's6'`)
    await look('s6', 'paused')
    assert.equal(await turn('paused'), 'queued -')
  })

  await t.test('ended or unknown: nothing happens', async () => {
    await addTurn('s7', 'over', { state: 'completed', overdue: true })
    await look('s7', 'over')
    await look('s7', 'unknown')
    assert.equal(await turn('over'), 'completed -')
  })
})
