// Dry runs: what the handler would do is told, and nothing of it stays.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createDelivery, type Delivery } from '../../../../shared/delivery/index.ts'
import type { DryRunReport } from '../../../../shared/delivery/index.ts'
import { collectDryRun, issueDryRun } from '../../../../shared/delivery/replay/dry-run-token.ts'
import { toolCallFinished } from '../../../../shared/events/index.ts'
import { contractOf, createWorkbench, finished, incoming, take, type Workbench } from '../workbench.ts'
import { createPoisoned, requested } from './poisoned.ts'

const event = incoming({ id: 'e1', data: requested('e1') })
const named = { function: 'tested', source: '/test', id: 'e1' }

async function dryRun({ database }: Pick<Workbench, 'database'>, delivery: Delivery): Promise<DryRunReport> {
  const token = await issueDryRun(database, named, 60_000)
  assert.equal((await delivery.dryRun(event, token)).status, 200)
  const report = await collectDryRun(database, token)
  assert.ok(report !== undefined)
  return report
}

async function nothingStayed(bench: Workbench): Promise<void> {
  for (const table of ['inbox', 'parked', 'lane', 'step', 'outbox', 'outbox_key', 'dead_letter'])
    assert.deepEqual(await bench.rows(`SELECT * FROM sluice.${table}`), [], table)
}

test('a transaction handler runs, its emissions are told, and its effects are rolled back', async (t) => {
  const bench = await createPoisoned(t, [])

  const report = await dryRun(bench, bench.delivery)

  assert.equal(report.outcome, 'done')
  assert.deepEqual(
    report.emissions.map(({ topic, key, event: emitted }) => [topic, key, (emitted as { type: string }).type]),
    [['tool.results', 's', 'tool.call.finished.v1']],
  )
  assert.deepEqual(await bench.effects(), [])
  await nothingStayed(bench)
})

test('a failure is told with the fingerprint that the dead letter has', async (t) => {
  const bench = await createPoisoned(t, ['e1'])

  const report = await dryRun(bench, bench.delivery)
  await bench.delivery.accept(event)

  assert.equal(report.outcome, 'failed')
  const [letter] = await bench.rows('SELECT cause AS code, message, fingerprint FROM sluice.dead_letter')
  assert.deepEqual(report.failure, { ...letter, becomes: 'dead' })
  assert.deepEqual(report.emissions, [])
})

test('a constraint that waits for COMMIT fails the dry run, too', async (t) => {
  const bench = await createWorkbench(t)
  await bench.database.query('CREATE TABLE once (id text UNIQUE DEFERRABLE INITIALLY DEFERRED)')
  await bench.database.query(`INSERT INTO once VALUES ('e1')`)
  const delivery = createDelivery(
    contractOf('transaction'),
    async ({ id }, { tx }) => void (await tx.query('INSERT INTO once VALUES ($1)', [id])),
    bench,
  )
  const report = await dryRun(bench, delivery)
  assert.equal(report.outcome, 'failed')
})

test('steps that read run, steps that touch the outside do not, and the run stops there', async (t) => {
  const bench = await createWorkbench(t)
  await bench.database.query('CREATE TABLE effect (id text)')
  const called: string[] = []
  const delivery = createDelivery(
    contractOf('steps'),
    async (_event, { step, transaction, commit }) => {
      await transaction('admit', async ({ tx }) => void (await tx.query(`INSERT INTO effect VALUES ('admitted')`)))
      await step('look', { effect: 'read' }, async () => called.push('look'))
      await transaction('check', async ({ tx, emit }) => {
        const { rows } = await tx.query('SELECT id FROM effect')
        called.push(`sees ${rows.length}`)
        emit(toolCallFinished, finished('c'), { key: 's' })
      })
      try {
        await step('pay', { effect: 'once' }, async () => called.push('pay'))
      } catch {
        called.push('caught')
      }
      await step('tell', { effect: 'read' }, async () => called.push('tell'))
      await commit(async () => void called.push('commit'))
    },
    bench,
  )

  const report = await dryRun(bench, delivery)

  assert.equal(report.outcome, 'stopped')
  assert.deepEqual(report.steps, [
    { name: 'admit', effect: 'transaction', taken: 'ran' },
    { name: 'look', effect: 'read', taken: 'ran' },
    { name: 'check', effect: 'transaction', taken: 'ran' },
    { name: 'pay', effect: 'once', taken: 'not-executed' },
  ])
  assert.equal(report.emissions.length, 1)
  assert.deepEqual(called.slice(0, 2), ['look', 'sees 1'])
  assert.ok(!called.includes('pay') && !called.includes('tell') && !called.includes('commit'), called.join())
  assert.deepEqual(await bench.rows('SELECT * FROM effect'), [])
  await nothingStayed(bench)
})

test('journalled steps give their results, so that the run goes on where the dead one ended', async (t) => {
  const bench = await createWorkbench(t)
  let pays = 0
  const broken = { now: true }
  const delivery = createDelivery(
    contractOf('steps', { delivery: { attempts: 1, backoff: { firstMs: 1, maxMs: 1 }, timeoutMs: 5_000 } }),
    async (_event, { step, commit }) => {
      const paid = await step('pay', { effect: 'once' }, async () => (pays += 1))
      if (broken.now) throw new Error('after the payment')
      await commit(async ({ emit }) => {
        assert.deepEqual(paid, { outcome: 'known', value: 1 })
        emit(toolCallFinished, finished('c'), { key: 's' })
      })
    },
    bench,
  )
  await delivery.accept(event)
  for (const lane of await take(bench.database)) await delivery.run(lane.incoming, lane.token)
  const before = await dryRun(bench, delivery)
  assert.equal(
    before.failure?.fingerprint,
    (await bench.rows('SELECT fingerprint FROM sluice.dead_letter'))[0]?.['fingerprint'],
  )
  broken.now = false

  const report = await dryRun(bench, delivery)

  assert.equal(report.outcome, 'done')
  assert.deepEqual(report.steps, [
    { name: 'pay', effect: 'once', taken: 'journalled' },
    { name: 'commit', effect: 'transaction', taken: 'ran' },
  ])
  assert.equal(report.emissions.length, 1)
  assert.equal(pays, 1)
  assert.deepEqual(await bench.rows('SELECT state FROM sluice.inbox'), [{ state: 'dead' }])
})

test('a token is good once, for its event and for its time', async (t) => {
  const bench = await createPoisoned(t, [])
  const { database, delivery } = bench
  const token = await issueDryRun(database, named, 60_000)
  assert.equal((await delivery.dryRun(event, token)).status, 200)
  assert.equal((await delivery.dryRun(event, token)).status, 409)
  const others = await issueDryRun(database, { ...named, id: 'e2' }, 60_000)
  assert.equal((await delivery.dryRun(event, others)).status, 409)
  const late = await issueDryRun(database, named, -1)
  assert.equal((await delivery.dryRun(event, late)).status, 409)
  assert.equal((await delivery.dryRun(event, 'forged')).status, 409)
  assert.deepEqual(await bench.effects(), [])
  await nothingStayed(bench)
})
