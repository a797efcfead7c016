// A poisoned and a hot key whose runs last as long as they like: nobody else in their partition waits for them. Judged by what
// is done while they last; fairness.test.ts measures.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createHttpSender, type Sender } from '../../../../local/kafka-source/index.ts'
import { conversationMessageReceived, topics } from '../../../../shared/events/index.ts'
import { defineFunction } from '../../../../shared/function/index.ts'
import { until } from '../../../support/index.ts'
import { startServiceOfTest } from '../../function/start-service.ts'
import { createWorkbench, type Workbench } from '../workbench.ts'
import { appendMessage, countSettled, onePartition, startPartition, type Message } from './partition.ts'

const effectSql = 'INSERT INTO effect (id) VALUES ($1)'
const rounds = 20
/** For a machine that has much else to do; nothing here is a matter of time. */
const patience = { limitMs: 90_000, everyMs: 50 }

const shared = {
  name: 'fair',
  purpose: 'Waits in the runs of some keys until the test says go',
  consumes: [{ topic: topics.conversationInbound, type: conversationMessageReceived }],
  produces: [],
  ordering: 'key',
  delivery: { attempts: 3, backoff: { firstMs: 1, maxMs: 1 }, timeoutMs: 300_000 },
  needs: ['postgres'],
  scale: { min: 0, max: 1, concurrency: 64 },
} as const

/** Counts what the source sent for each event. */
function counting(sender: Sender): { readonly sender: Sender; readonly sent: ReadonlyMap<string, number> } {
  const sent = new Map<string, number>()
  return {
    sent,
    sender: {
      send: (request, options) => {
        const [, id = ''] = request.headers.find(([name]) => name.toLowerCase() === 'ce-id') ?? []
        sent.set(id, (sent.get(id) ?? 0) + 1)
        return sender.send(request, options)
      },
    },
  }
}

const idsOf = (messages: readonly Message[]): readonly string[] => messages.map(({ id }) => id)

async function effectsOf({ rows }: Workbench, messages: readonly Message[]): Promise<number> {
  const sql = 'SELECT count(*)::int AS effects FROM effect WHERE id = ANY ($1)'
  return (await rows<{ effects: number }>(sql, [idsOf(messages)]))[0]?.effects ?? 0
}

for (const execution of ['transaction', 'steps'] as const) {
  test(
    `${execution}: while a run of a poisoned and one of a hot key last, the other keys of their partition are done, and each record is sent once`,
    { timeout: 280_000 },
    async (t) => {
      const bench = await createWorkbench(t, { topics: onePartition })
      await bench.database.query('CREATE TABLE effect (id text)')
      const go = Promise.withResolvers<void>()
      t.after(() => go.resolve())
      const lasting = new Set<string>()
      const last = async (id: string): Promise<void> => {
        lasting.add(id)
        await go.promise
        lasting.delete(id)
      }
      const env = { DATABASE_URL: bench.url }
      const service =
        execution === 'transaction'
          ? await startServiceOfTest(t, defineFunction({ ...shared, execution: 'transaction' }), {
              env,
              behaviour: async ({ id, data: { message: kind } }, { tx, attempt }) => {
                // On the source's own request a run holds the partition; from the second one on it is in its lane.
                if (kind !== 'other' && attempt === 1) throw new Error('to the lane')
                if (kind !== 'other') await last(id)
                if (kind === 'poison') throw new Error('poisoned')
                await tx.query(effectSql, [id])
              },
            })
          : await startServiceOfTest(t, defineFunction({ ...shared, execution: 'steps' }), {
              env,
              behaviour: async ({ id, data: { message: kind } }, { step, commit }) => {
                await step('ask', { effect: 'read' }, async () => (kind === 'other' ? undefined : await last(id)))
                if (kind === 'poison') throw new Error('poisoned')
                await commit(({ tx }) => tx.query(effectSql, [id]))
              },
            })
      const { sender, sent } = counting(createHttpSender({ clock: bench.clock }))
      await startPartition(t, bench, { url: `http://127.0.0.1:${service.port}/`, sender })

      const heads = ['poison', 'hot'].map((kind) => ({ id: `${kind}-head`, key: kind, kind }))
      for (const head of heads) await appendMessage(bench, head)
      await until('both runs last', () => lasting.size === 2, patience)

      const numbers = Array.from({ length: rounds }, (_, n) => n)
      const others = numbers.map((n) => ({ id: `other-${n}`, key: `other-${n}`, kind: 'other' }))
      const behind = numbers.flatMap((n) => ['poison', 'hot'].map((kind) => ({ id: `${kind}-${n}`, key: kind, kind })))
      for (const [n, other] of others.entries()) {
        for (const message of [...behind.slice(2 * n, 2 * n + 2), other]) await appendMessage(bench, message)
      }
      await until('the others are done', async () => (await effectsOf(bench, others)) === others.length, patience)

      assert.deepEqual([...lasting].toSorted(), ['hot-head', 'poison-head'], 'the two runs still last')
      assert.equal(await countSettled(bench, idsOf([...heads, ...behind])), 0, 'whatever came behind them waits')
      assert.deepEqual([...sent.keys()].toSorted(), idsOf([...heads, ...behind, ...others]).toSorted())
      assert.deepEqual(new Set(sent.values()), new Set([1]), 'the source was never sent away')

      go.resolve()
      const all = [...heads, ...behind, ...others]
      await until('the rest is settled', async () => (await countSettled(bench, idsOf(all))) === all.length, patience)
      const hot = [...heads, ...behind].filter(({ kind }) => kind === 'hot')
      assert.equal(await effectsOf(bench, all), others.length + hot.length, 'each has its effect once')
      const dead = await bench.rows('SELECT DISTINCT key, attempts FROM sluice.dead_letter')
      assert.deepEqual(dead, [{ key: 'poison', attempts: 3 }])
    },
  )
}
