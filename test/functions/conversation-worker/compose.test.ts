import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createConversationWorker } from '../../../functions/conversation-worker/compose.ts'
import { conversationWorker } from '../../../functions/conversation-worker/function.ts'
import { createOutboxSync } from '../../../functions/outbox-sync/compose.ts'
import { outboxSync } from '../../../functions/outbox-sync/function.ts'
import { parseScript, startRehearsalModel } from '../../../local/rehearsal-model/index.ts'
import { loadConfig } from '../../../shared/config/index.ts'
import { createEventLog } from '../../../shared/event-log/index.ts'
import { allTopics, conversationMessageReceived } from '../../../shared/events/index.ts'
import type { Service } from '../../../shared/function/start-service.ts'
import { systemClock as clock } from '../../../shared/time/index.ts'
import { atEnd, createTestDatabase, until } from '../../support/index.ts'
import { emitted, sendEvent } from '../support/events.ts'
import { openDatabase, startForTest, testLogger } from '../support/platform.ts'

test(
  'W-46: a worker that is stopped in the middle of an answer hands the turn to the next one, which asks again',
  { timeout: 120_000 },
  async (t) => {
    const { url } = await createTestDatabase(t)
    const database = await openDatabase(t, url)
    const log = testLogger()
    await createEventLog({ kafkaBrokers: [] }, { database, clock, log, name: 'test' }).ensureTopics(allTopics)
    const model = await startRehearsalModel({
      port: 0,
      delayMs: 0,
      script: parseScript(
        'rules: [{then: {hang_after: 2, text: "half an answer"}, times: 1}, {then: {text: "a whole answer"}}]',
      ),
    })
    atEnd(t, () => model.stop())
    const env = { DATABASE_URL: url, PORT: '0', SLUICE_OPERATIONS_PORT: '0', MODEL_BASE_URL: model.url }
    const startWorker = async (): Promise<Service> => {
      const worker = await startForTest(t, {
        definition: conversationWorker,
        behaviour: { compose: createConversationWorker },
        config: loadConfig(env),
        log,
      })
      const config = loadConfig({ ...env, SLUICE_FUNCTION_URLS: `conversation-worker=http://127.0.0.1:${worker.port}` })
      await startForTest(t, { definition: outboxSync, behaviour: { compose: createOutboxSync }, config, log })
      return worker
    }

    const first = await startWorker()
    await sendEvent(first.port, {
      type: conversationMessageReceived,
      data: { session_id: 's1', turn_id: 't1', message: 'hello' },
    })
    await until('the model answers', () => model.requests().length === 1, { limitMs: 30_000 })
    // Whether the lane is handed back within the drain, too, is a matter of time: shared/delivery/runs/from-lane.test.ts
    // has it.
    const { finished, released } = await first.drain({ totalMs: 1_000 })
    assert.deepEqual([finished.length, released.length], [0, 1])

    await startWorker()
    // Longer than a lease: the drain may have had no time left to hand the lane back.
    const ends = await until(
      'the turn ended',
      async () => {
        const events = await emitted(database, 'conversation.outbound', 's1')
        return events.some((event) => 'answer' in event) ? events : undefined
      },
      { limitMs: 40_000 },
    )
    assert.deepEqual(
      ends.map((event) => event['answer'] ?? '-'),
      ['-', 'a whole answer'],
    )
    assert.deepEqual(
      model.requests().map(({ outcome }) => outcome),
      ['abandoned', 'answered'],
    )
  },
)
