// The function that is measured, as `serve()` would run it, in a process of its own: it writes down when each event had its
// effect. Events of the poisoned key fail every time.

import { setTimeout as sleep } from 'node:timers/promises'
import { loadConfig } from '../../../../shared/config/index.ts'
import { conversationMessageReceived, topics } from '../../../../shared/events/index.ts'
import { defineFunction } from '../../../../shared/function/index.ts'
import { startService } from '../../../../shared/function/start-service.ts'
import { systemClock as clock } from '../../../../shared/time/index.ts'

const effectSql = 'INSERT INTO effect (id) VALUES ($1)'
const isPoison = (message: string): boolean => message === 'poison'

const shared = {
  purpose: 'Writes down when each message had its effect',
  consumes: [{ topic: topics.conversationInbound, type: conversationMessageReceived }],
  produces: [],
  ordering: 'key',
  delivery: { attempts: 3, backoff: { firstMs: 100, maxMs: 400 }, timeoutMs: 10_000 },
  needs: ['postgres'],
  scale: { min: 0, max: 1, concurrency: 64 },
} as const

const inTransaction = defineFunction({ ...shared, name: 'fair', execution: 'transaction' })
const inSteps = defineFunction({ ...shared, name: 'fair', execution: 'steps' })

const deps = { config: loadConfig(), clock, signal: new AbortController().signal }
const { port } = await (process.env['TEST_EXECUTION'] === 'transaction'
  ? startService(
      inTransaction,
      async ({ id, data }, { tx, attempt }) => {
        await tx.query(effectSql, [id])
        if (!isPoison(data.message)) return
        // In its lane it may take as long as it wants: later events of the key are parked beside the run.
        if (attempt > 1) await sleep(150)
        throw new Error('poisoned')
      },
      deps,
    )
  : startService(
      inSteps,
      async ({ id, data }, { step, commit }) => {
        // As long as a slow dependency takes to fail.
        await step('ask', { effect: 'read' }, () => sleep(isPoison(data.message) ? 150 : 5))
        if (isPoison(data.message)) throw new Error('poisoned')
        await commit(({ tx }) => tx.query(effectSql, [id]))
      },
      deps,
    ))
process.stdout.write(`serving on ${port}\n`)
