// Twelve known mistakes of delivery systems, each as the few lines that make it, the scenario that provokes it, and the
// invariants of which at least one must be found broken.

import { failpoint } from '../../../shared/delivery/index.ts'
import type { Invariant } from '../checkers/index.ts'
import type { Patch } from './mutated-tree.ts'
import type { Scenario } from './scenario.ts'

export interface SeededBug {
  readonly mistake: string
  readonly patches: readonly Patch[]
  readonly scenario: Scenario
  readonly breaks: readonly Invariant[]
}

const sql = 'schemas/database/0001-delivery.sql'
/** Have the later forms of some of its functions. */
const claimSql = 'schemas/database/0013-claims-of-free-lanes.sql'
const emitSql = 'schemas/database/0014-emitters-that-publish.sql'
const outboxFolder = 'shared/delivery/outbox'
const runsFolder = 'shared/delivery/runs'

export const scenarios = {
  undisturbed: {},
  killedBeforeCommit: { dies: `${failpoint.beforeCommit}=kill@9`, slowEffects: true },
  killedAfterCharge: { dies: `${failpoint.stepAfterRun}=kill@3`, oneKey: true },
  // One key runs one event at a time: five charges, then the fifth event's step that runs once.
  killedAfterNotify: { dies: `${failpoint.stepAfterRun}=kill@6`, oneKey: true },
  killedAfterOutboxCommit: { dies: `${failpoint.outboxAfterCommit}=kill@9`, relayAfterMs: 1_500, oneKey: true },
  killedAfterPublish: { dies: `${failpoint.outboxAfterPublish}=kill@1` },
  killedAfterEffect: { dies: 'seeded.after-effect=kill@9' },
  slowCommits: { slowCommits: true },
  zombie: { zombie: true, oneKey: true },
} as const satisfies Record<string, Scenario>

export const seededBugs: readonly SeededBug[] = [
  {
    mistake: 'the answer goes out before COMMIT',
    patches: [
      {
        file: 'shared/delivery/delivery.ts',
        find: '    const deciding = work()\n',
        replace: `    const deciding = work()
    void deciding.then(followUp, () => undefined)
    if (clock !== undefined) return { status: 200, outcome: 'done' }
`,
      },
    ],
    scenario: scenarios.killedBeforeCommit,
    breaks: ['I1'],
  },
  {
    mistake: 'the inbox row is committed after the effect',
    patches: [
      {
        file: `${runsFolder}/accept-transaction.ts`,
        find: 'const ended = await runHandler(tx, handler, { run, deps })',
        replace: `const ended = await deps.database.transaction((own) => runHandler(own, handler, { run, deps }))
    deps.failpoints('seeded.after-effect')`,
      },
    ],
    scenario: scenarios.killedAfterEffect,
    breaks: ['I2'],
  },
  {
    mistake: 'effects are written outside the transaction',
    patches: [
      {
        file: `${runsFolder}/effects.ts`,
        find: 'const guard = guardTransaction(tx)',
        replace: 'const guard = guardTransaction(arguments[2].database)',
      },
    ],
    scenario: scenarios.undisturbed,
    breaks: ['I2', 'I3'],
  },
  {
    mistake: 'the relay reads `id > last`',
    patches: [
      {
        file: sql,
        find: '  sent_at    timestamptz,\n',
        replace: '  sent_at    timestamptz,\n  row_id     bigserial,\n',
      },
      {
        file: `${outboxFolder}/claim.ts`,
        find: `  const values = keys === undefined ? [null, null] : [topicsOf(keys), keysOf(keys)]
  const { rows } = await database.query<OutboxRow & { token: string }>(claimStatement, values)
`,
        replace: `  const { rows } = await database.query(
    "SELECT 'none' AS token, topic, key, sequence, event::text AS json, row_id FROM sluice.outbox WHERE row_id > $1 ORDER BY row_id",
    [globalThis.lastSeen ?? 0],
  )
  globalThis.lastSeen = rows.at(-1)?.row_id ?? globalThis.lastSeen
`,
      },
      {
        file: `${outboxFolder}/store-emitted.ts`,
        find: 'token ?? null',
        replace: 'null',
      },
      {
        file: `${outboxFolder}/claim.ts`,
        find: '  const { rows } = await database.query<OutboxKey>(settleStatement, [',
        replace: `  for (const { topic, key, sequence } of sent) {
    await database.query("UPDATE sluice.outbox SET state = 'sent' WHERE topic = $1 AND key = $2 AND sequence = $3", [topic, key, sequence])
    await database.query('UPDATE sluice.outbox_key SET sent = greatest(sent, $3) WHERE topic = $1 AND key = $2', [topic, key, sequence])
  }
  if (token === 'none') return []
  const { rows } = await database.query<OutboxKey>(settleStatement, [`,
      },
    ],
    scenario: scenarios.slowCommits,
    breaks: ['I5'],
  },
  {
    mistake: 'an event overtakes the parked ones of its key',
    patches: [
      {
        file: claimSql,
        find: 'p_parks OR EXISTS (SELECT FROM sluice.lane WHERE function = p_function AND key = p_key)',
        replace: 'p_parks',
      },
    ],
    scenario: scenarios.undisturbed,
    breaks: ['I4'],
  },
  {
    mistake: 'a lease is not fenced by token and epoch',
    patches: [{ file: sql, find: ' AND token = p_token AND epoch = p_epoch', replace: '', everywhere: true }],
    scenario: scenarios.zombie,
    breaks: ['I2'],
  },
  {
    mistake: 'a retry has another idempotency key',
    patches: [
      {
        file: 'shared/delivery/steps/journal.ts',
        find: 'JSON.stringify([name, source, id, step])',
        replace: 'JSON.stringify([name, source, id, step, Math.random()])',
      },
    ],
    scenario: scenarios.killedAfterCharge,
    breaks: ['I2'],
  },
  {
    mistake: 'a `once` step runs again',
    patches: [
      { file: sql, find: "WHEN p_effect = 'once' THEN 'unknown'", replace: "WHEN p_effect = 'once' THEN 'run'" },
    ],
    scenario: scenarios.killedAfterNotify,
    breaks: ['I2'],
  },
  {
    mistake: 'outbox rows are marked as sent before the log has them',
    patches: [
      {
        file: `${outboxFolder}/publisher.ts`,
        find: '      await append(rows, sent)\n',
        replace: `      const marked = rows.map((row) => ({ ...row, partition: 0, offset: 0 }))
      await settle(claims, { sent: marked, delayMs: 0 })
      failpoints(failpoint.outboxAfterPublish)
      await append(rows, sent)
`,
      },
    ],
    scenario: scenarios.killedAfterPublish,
    breaks: ['I1', 'I5'],
  },
  {
    mistake: 'outbox sequences come from a sequence generator',
    patches: [
      {
        file: sql,
        find: 'CREATE TABLE sluice.outbox_key (',
        replace: 'CREATE SEQUENCE sluice.outbox_sequence;\nCREATE TABLE sluice.outbox_key (',
      },
      {
        file: emitSql,
        find: '  INSERT INTO sluice.outbox (topic, key, sequence, id, tenant, event)\n  VALUES (p_topic,',
        replace: `  place := nextval('sluice.outbox_sequence');
  INSERT INTO sluice.outbox (topic, key, sequence, id, tenant, event)\n  VALUES (p_topic,`,
      },
      {
        file: emitSql,
        find: 'a.next - e.total + e.place - 1 AS sequence',
        replace: "nextval('sluice.outbox_sequence') AS sequence",
      },
    ],
    scenario: scenarios.undisturbed,
    breaks: ['I5'],
  },
  {
    mistake: 'the fast path overtakes what the relay still has to publish',
    patches: [
      { file: emitSql, find: 'p_sent + 1 = p_next AND ', replace: '' },
      { file: emitSql, find: ' AND k.sent + 1 = k.next - 1', replace: '' },
      { file: emitSql, find: ' AND a.sent + 1 = a.next - e.total', replace: '' },
    ],
    scenario: scenarios.killedAfterOutboxCommit,
    breaks: ['I5'],
  },
  {
    mistake: 'other data under a used id is taken for a repeat',
    patches: [
      {
        file: claimSql,
        find: "CASE WHEN taken_hash = p_data_hash THEN 'duplicate' ELSE 'conflict' END",
        replace: "'duplicate'",
        everywhere: true,
      },
    ],
    scenario: scenarios.undisturbed,
    breaks: ['I1'],
  },
]
