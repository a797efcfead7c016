// F5: Kafka is away. What people send is taken all the same and waits in the outbox; afterwards it goes out, in order.

import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { until } from '../../support/until.ts'
import type { FaultCase } from '../case.ts'

const awayMs = { smoke: 15_000, full: 60_000 }

export const kafkaCases: readonly FaultCase[] = [
  {
    id: 'F5',
    title: 'Kafka is away: messages are taken, a function starts without it, nothing is lost',
    needs: 'kafka',
    limitMs: 120_000,
    run: async ({ world, proven, note, atEnd, full }) => {
      const { kafka, traffic, database, process } = await world()
      assert.ok(kafka !== undefined)
      traffic.start()
      const begun = performance.now()
      proven(await kafka.crash())
      atEnd(async () => proven(await kafka.start()))

      const worker = process('tool-executor')
      const before = worker.pid()
      await worker.restart('to start without Kafka')
      await until('the function is ready without Kafka', () => worker.isReady() && worker.pid() !== before, {
        limitMs: 60_000,
      })
      const relay = process('outbox-sync')
      await relay.restart('to start without Kafka')
      await sleep(Math.max(0, begun + awayMs[full ? 'full' : 'smoke'] - performance.now()))
      const answers = traffic.answers(begun)
      assert.ok(answers.length > 0)
      assert.deepEqual([...new Set(answers.map(({ status }) => status))], [202])
      const { rows } = await database.query<{ waiting: number }>(
        'SELECT sum(next - 1 - sent)::int AS waiting FROM sluice.outbox_key WHERE sent + 1 < next',
      )
      assert.ok((rows[0]?.waiting ?? 0) > 0)
      note(`${answers.length} messages taken without it, ${rows[0]?.waiting} events waited`)
    },
  },
]
