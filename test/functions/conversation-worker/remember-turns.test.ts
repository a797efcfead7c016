import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRememberTurns, type SaidTurn } from '../../../functions/conversation-worker/remember-turns.ts'
import { createHttpMemory, memoryLimits } from '../../../shared/memory/index.ts'
import { createInstruments, createLogger } from '../../../shared/telemetry/index.ts'
import { systemClock as clock } from '../../../shared/time/index.ts'
import { atEnd, createTestDatabase, startLoopbackServer, until } from '../../support/index.ts'
import { openDatabase } from '../support/platform.ts'

const said = (more: Partial<SaidTurn> = {}, text = 'hello'): SaidTurn => ({
  key: { tenant: 'local', sessionId: 's1' },
  turnId: 't1',
  opening: { eventId: 'e1', type: 'conversation.message.received.v1', data: {}, text },
  answer: 'hi',
  ...more,
})

test('remembering turns', { timeout: 60_000 }, async (t) => {
  const database = await openDatabase(t, (await createTestDatabase(t)).url)
  const silent = await startLoopbackServer(t, (request) => request.resume())
  const instruments = createInstruments({ function: 'test' })
  const log = createLogger({ function: 'test', level: 'silent' })
  const options = { url: silent.url, recallTimeoutMs: 60_000, rememberTimeoutMs: 60_000 }
  const memory = createHttpMemory(options, { clock, instruments })
  atEnd(t, () => memory.stop())
  const turns = createRememberTurns({ memory, database, clock, log })

  await t.test('a turn is one memory, whatever its ids and however long it is', async () => {
    const longIds = said({ key: { tenant: 'local', sessionId: 's'.repeat(128) }, turnId: 't'.repeat(128) })
    for (const turn of [
      said(),
      longIds,
      said({ turnId: 't2', answer: '🙂'.repeat(40_000) }, '\u{1F642}'.repeat(20_000)),
    ]) {
      const write = await turns.store(database, turn)
      assert.ok(write !== undefined)
      assert.deepEqual(await turns.store(database, turn), write)
      assert.ok(write.memory.key.length <= memoryLimits.keyLength && write.idempotencyKey.length <= 255)
      assert.ok(write.memory.content.length <= memoryLimits.contentLength && write.memory.content.isWellFormed())
    }
    assert.equal((await database.query('SELECT FROM agent.memory_write_outbox')).rowCount, 3)
  })

  await t.test('a turn that no message began leaves nothing', async () => {
    const opening = { eventId: 'e', type: 'conversation.action.requested.v1', data: {}, text: 'Summarize' }
    assert.equal(await turns.store(database, said({ opening })), undefined)
    assert.equal(await turns.store(database, said({ opening: null })), undefined)
  })

  await t.test(
    'a stop does not wait for a memory-service that hangs, and leaves the write for memory-sync',
    async () => {
      const write = await turns.store(database, said({ turnId: 't9' }))
      assert.ok(write !== undefined)
      turns.send(write)
      await until('it was asked', () => silent.requests.length === 1)
      const begun = performance.now()
      await turns.stop()
      assert.ok(performance.now() - begun < 4_000)
      const { rows } = await database.query('SELECT token FROM agent.memory_write_outbox WHERE idempotency_key = $1', [
        write.idempotencyKey,
      ])
      assert.deepEqual(rows, [{ token: null }])
    },
  )
})
