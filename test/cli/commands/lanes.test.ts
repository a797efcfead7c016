// `sluice lanes` as a user runs it, against lanes that a real function left.

import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { createDelivery } from '../../../shared/delivery/index.ts'
import { temporaryFolder } from '../../support/index.ts'
import { contractOf, createWorkbench, incoming, take, type Workbench } from '../../shared/delivery/workbench.ts'
import { runCommand, type EndedCommand } from '../run-command.ts'

const lanes = (args: readonly string[], env: Readonly<Record<string, string>>): Promise<EndedCommand> =>
  runCommand(['lanes', ...args], { env })

/** A lane held by `e1`, with `e2` behind it, and one that waits for its time. */
async function holdLane(t: TestContext): Promise<Workbench> {
  const bench = await createWorkbench(t)
  const delivery = { attempts: 1, backoff: { firstMs: 1, maxMs: 1 }, timeoutMs: 5_000, onExhausted: 'hold' } as const
  const handler = async (): Promise<void> => Promise.reject(new Error('no\u001B[31m luck'))
  const tested = createDelivery(contractOf('steps', { delivery }), handler, bench)
  for (const id of ['e1', 'e2']) await tested.accept(incoming({ id, key: 'tool/1' }))
  const [taken] = await take(bench.database)
  assert.ok(taken)
  assert.equal((await tested.run(taken.incoming, taken.token)).outcome, 'held')
  await tested.accept(incoming({ id: 'o1', key: 'other', tenant: 'globex' }))
  return bench
}

test('lanes are listed, shown, released and skipped', { timeout: 60_000 }, async (t) => {
  const bench = await holdLane(t)
  const env = { DATABASE_URL: bench.url }

  const all = await lanes(['list'], env)
  assert.equal(all.code, 0, all.stderr)
  assert.match(
    all.stdout,
    /^tested other {2}waiting \(due [^)]*\) {2}1 events since .*\ntested tool\/1 {2}held \(handler_failed\) {2}2 events/,
  )
  const held = await lanes(['list', '--state', 'held', '--tenant', 'acme', '--json'], env)
  assert.deepEqual(
    (JSON.parse(held.stdout) as readonly { key: string }[]).map(({ key }) => key),
    ['tool/1'],
  )

  const shown = await lanes(['show', 'tested', 'tool/1'], env)
  assert.match(
    shown.stdout,
    /\n {2}1 {2}e1 {2}tool\.call\.requested\.v1 {2}attempts 1 {2}handler_failed: no\\u001b\[31m luck {2}trace [0-9a-f]{32}\n {2}2 {2}e2 /,
  )
  assert.ok(!shown.stdout.includes('\u001B'), 'what an event says is no command to the terminal')

  const released = await lanes(['release', 'tested', 'tool/1'], env)
  assert.equal(released.stdout, 'Event e1 is tried again now, from attempt 0.\n')
  assert.deepEqual(await bench.rows(`SELECT held FROM sluice.lane WHERE key = 'tool/1'`), [{ held: null }])
  const early = await lanes(['skip', 'tested', 'tool/1'], env)
  assert.deepEqual([early.code, early.stderr], [1, 'sluice lanes: Nothing was changed: the lane is not held\n'])

  await bench.database.query(`UPDATE sluice.lane SET held = 'handler_failed' WHERE key = 'tool/1'`)
  const other = await lanes(['skip', 'tested', 'tool/1', '--position', '2'], env)
  assert.match(other.stderr, /another event is at the head/)
  const skipped = await lanes(['skip', 'tested', 'tool/1', '--position', '1'], env)
  assert.equal(skipped.stdout, 'Event e1 is a dead letter now; its lane goes on.\n')
  assert.deepEqual(await bench.rows('SELECT id FROM sluice.dead_letter'), [{ id: 'e1' }])
  assert.deepEqual(await bench.rows(`SELECT count(*)::int AS n FROM sluice.outbox WHERE topic = 'tool.requests.dlq'`), [
    { n: 1 },
  ])
})

test('what cannot be done is said in one line', { timeout: 60_000 }, async (t) => {
  const bench = await createWorkbench(t)
  const env = { DATABASE_URL: bench.url }
  assert.match((await lanes(['list'], env)).stdout, /^No lanes/)
  for (const [args, code, said] of [
    [[], 2, /expected list, or show, release or skip/],
    [['drop', 'a', 'b'], 2, /expected list/],
    [['show', 'a'], 2, /expected list/],
    [['show', 'a', 'b'], 1, /There is no such lane/],
    [['release', 'a', 'b'], 1, /There is no such lane/],
    [['list', '--state', 'dead'], 1, /--state dead: expected held, running, waiting/],
    [['skip', 'a', 'b', '--position', '0'], 1, /--position 0: expected a whole number/],
    [['list', '--nonsense'], 2, /--nonsense/],
  ] as const) {
    const { code: exit, stderr } = await lanes(args, env)
    assert.equal(exit, code, stderr)
    assert.match(stderr, said)
  }
  const { code, stderr } = await lanes(['list'], { SLUICE_HOME: temporaryFolder(t) })
  assert.equal(code, 1)
  assert.match(stderr, /no platform here: run npm start/)
})
