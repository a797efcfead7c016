// The check that runs each minute must not read whole tables, however large they have become: what the planner does is looked at.

import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { checksOf } from '../../../../shared/delivery/reconciliation/checks.ts'
import { recentScope, scopes, type Scope } from '../../../../shared/delivery/reconciliation/scope.ts'
import { createWorkbench, type Workbench } from '../workbench.ts'

const rows = 30_000
/** So few that reading a whole table is never cheaper. */
const newest = 100

/** A year of work in every table: nearly all of it is over. */
async function grown(t: TestContext): Promise<Workbench> {
  const bench = await createWorkbench(t)
  const at = `clock_timestamp() - n * interval '1 minute'`
  for (const sql of [
    `INSERT INTO sluice.inbox (function, source, id, state, data_hash, at)
     SELECT 'f', '/s', n::text, CASE WHEN n % 50 = 0 THEN 'dead' WHEN n % 50 = 1 THEN 'parked' ELSE 'done' END, '', ${at} FROM generate_series(1, ${rows}) AS n`,
    `INSERT INTO sluice.outbox (topic, key, sequence, id, tenant, event, state, at, sent_at, partition, log_offset)
     SELECT CASE WHEN n % 50 = 0 THEN 'tool.requests.dlq' ELSE 'tool.results' END, (n / 100)::text, n, n::text, '', '{"sluicedeadletter":"x"}', 'sent', ${at}, ${at}, 0, n
     FROM generate_series(1, ${rows}) AS n`,
    `INSERT INTO sluice.outbox_key (topic, key, next, sent) SELECT 'tool.results', n::text, 100, 99 FROM generate_series(1, ${rows}) AS n`,
    `INSERT INTO sluice.dead_letter (dead_letter_id, function, source, id, topic, tenant, cause, message, fingerprint, attempts, raw,
       function_version, config_version, at)
     SELECT gen_random_uuid(), 'f', '/s', n::text, 'tool.requests', '', 'rejected', '', '', 1, '', '', '', ${at} FROM generate_series(1, ${rows}) AS n`,
    `INSERT INTO sluice.lane (function, key, tail, due_at) SELECT 'f', n::text, 1, now() + n * interval '1 minute' FROM generate_series(1, ${rows}) AS n`,
    `INSERT INTO sluice.parked (function, key, position, source, id, tenant, event, raw, due_at, at)
     SELECT 'f', n::text, 1, '/s', n::text, '', '{}', '', now(), ${at} FROM generate_series(1, ${rows}) AS n`,
    'ANALYZE sluice.inbox, sluice.outbox, sluice.outbox_key, sluice.dead_letter, sluice.lane, sluice.parked',
  ]) {
    await bench.database.transaction(async (tx) => {
      await tx.query('SET LOCAL statement_timeout = 0')
      await tx.query(sql)
    })
  }
  return bench
}

interface Plan {
  readonly 'Node Type': string
  readonly 'Relation Name'?: string
  readonly Plans?: readonly Plan[]
}

async function scansOf({ database }: Workbench, scope: Scope): Promise<readonly string[]> {
  const found: string[] = []
  for (const { name, sql, values = [] } of checksOf(scope)) {
    const { rows: plans } = await database.query<{ 'QUERY PLAN': readonly { readonly Plan: Plan }[] }>(
      `EXPLAIN (FORMAT JSON) ${sql}`,
      [60_000, 20, ...values],
    )
    const walk = ({ Plans = [], ...node }: Plan): void => {
      if (node['Node Type'] === 'Seq Scan') found.push(`${name}: ${node['Relation Name']}`)
      for (const plan of Plans) walk(plan)
    }
    for (const [plan] of plans.map((row) => row['QUERY PLAN'])) if (plan !== undefined) walk(plan.Plan)
  }
  return found
}

test('no check that runs each minute reads a table from end to end', { timeout: 120_000 }, async (t) => {
  const bench = await grown(t)
  assert.deepEqual(await scansOf(bench, recentScope(newest)), [])
  assert.notDeepEqual(await scansOf(bench, scopes.all), [], 'this test sees such a scan where there is one')
})
