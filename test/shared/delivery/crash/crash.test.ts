// SIGKILL at every failpoint of delivery. The source comes again until it hears 2xx; afterwards every effect is there once.

import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { createLaneDriver, failpoint } from '../../../../shared/delivery/index.ts'
import { encodeHttpEvent } from '../../../../shared/events/index.ts'
import { atEnd, startChild, until } from '../../../support/index.ts'
import { createWorkbench, incoming, published, type Workbench } from '../workbench.ts'

const script = new URL('function-process.ts', import.meta.url).pathname

async function startFunction(t: TestContext, bench: Workbench, env: Readonly<Record<string, string>>) {
  const child = startChild(t, [script], { env: { TEST_URL: bench.url, ...env } })
  const line = await child.line(/listening on \d+/)
  return { ...child, url: `http://127.0.0.1:${/\d+/.exec(line)?.[0]}` }
}

/** One delivery as a source makes it; 0 when the connection broke. */
async function post(url: string, id: string): Promise<number> {
  const { headers, body } = encodeHttpEvent(incoming({ id }).event)
  const response = await fetch(url, { method: 'POST', headers, body: new Uint8Array(body) }).catch(() => undefined)
  return response?.status ?? 0
}

async function prepare(t: TestContext): Promise<Workbench> {
  const bench = await createWorkbench(t)
  await bench.database.query('CREATE TABLE effect (id text); CREATE TABLE call (name text)')
  return bench
}

async function drive(t: TestContext, bench: Workbench, url: () => string): Promise<void> {
  const driver = createLaneDriver({ functionUrl: url }, bench)
  atEnd(t, () => driver.stop())
  await driver.start(AbortSignal.timeout(5_000))
}

/** What time would do: leases of the dead run out. */
const expireLeases = (bench: Workbench) =>
  bench.database.query(`UPDATE sluice.lane SET lease_until = clock_timestamp() WHERE lease_until IS NOT NULL;
    UPDATE sluice.outbox_key SET lease_until = NULL, token = NULL`)

const isDone = (bench: Workbench, id: string) =>
  until(
    'the event is done',
    async () => (await bench.rows(`SELECT FROM sluice.inbox WHERE state = 'done' AND id = $1`, [id])).length === 1,
  )

async function assertPublishedOnce(bench: Workbench): Promise<void> {
  // Who has just restarted may be at it: the relay leaves its keys alone.
  await until('nothing is left to publish', async () => {
    await bench.outbox.relay()
    return (await bench.rows(`SELECT FROM sluice.outbox WHERE state = 'pending'`)).length === 0
  })
  const records = await published(bench.eventLog, 'tool.results')
  assert.equal(new Set(records.map(({ id }) => id)).size, 1)
}

for (const point of [
  failpoint.beforeCommit,
  failpoint.afterCommit,
  failpoint.outboxAfterCommit,
  failpoint.outboxAfterPublish,
]) {
  test(`transaction function killed at ${point}: one effect, one event`, { timeout: 30_000 }, async (t) => {
    const bench = await prepare(t)
    const doomed = await startFunction(t, bench, { TEST_EXECUTION: 'transaction', TEST_FAILPOINT: point })
    const first = await post(doomed.url, 'e1')
    assert.equal((await doomed.exited()).signal, 'SIGKILL', 'the failpoint fired: the run is valid')
    if (point !== failpoint.outboxAfterPublish) assert.equal(first, 0, 'it died before it answered')

    const next = await startFunction(t, bench, { TEST_EXECUTION: 'transaction' })
    assert.equal(await post(next.url, 'e1'), 200)
    assert.deepEqual(await bench.rows('SELECT id FROM effect'), [{ id: 'e1' }])
    await expireLeases(bench)
    await assertPublishedOnce(bench)
  })
}

test(
  `steps function killed at ${failpoint.afterAccept}: the source comes again and the event runs once`,
  { timeout: 30_000 },
  async (t) => {
    const bench = await prepare(t)
    const doomed = await startFunction(t, bench, { TEST_FAILPOINT: failpoint.afterAccept })
    assert.equal(await post(doomed.url, 'e1'), 0)
    assert.equal((await doomed.exited()).signal, 'SIGKILL')

    const next = await startFunction(t, bench, {})
    assert.equal(await post(next.url, 'e1'), 200)
    await drive(t, bench, () => next.url)
    await isDone(bench, 'e1')
    assert.deepEqual(await bench.rows('SELECT id FROM effect'), [{ id: 'e1 known' }])
    await assertPublishedOnce(bench)
  },
)

const killedRuns = [
  // the first step that passes is the idempotent one; the second pass is the `once` step
  { point: `${failpoint.stepAfterStart}=kill`, asks: 1, charges: 1, outcome: 'known' },
  { point: `${failpoint.stepAfterRun}=kill`, asks: 2, charges: 1, outcome: 'known' },
  { point: `${failpoint.stepAfterStart}=kill@2`, asks: 1, charges: 0, outcome: 'unknown' },
  { point: `${failpoint.stepAfterRun}=kill@2`, asks: 1, charges: 1, outcome: 'unknown' },
  { point: `${failpoint.beforeCommit}=kill`, asks: 1, charges: 1, outcome: 'known' },
  { point: `${failpoint.afterCommit}=kill@2`, asks: 1, charges: 1, outcome: 'known' },
]
for (const { point, asks, charges, outcome } of killedRuns) {
  test(
    `steps function killed at ${point} in a run: ${asks} idempotent and ${charges} once calls, outcome ${outcome}, one effect`,
    { timeout: 30_000 },
    async (t) => {
      const bench = await prepare(t)
      const doomed = await startFunction(t, bench, { TEST_FAILPOINT: point })
      let { url } = doomed
      assert.equal(await post(url, 'e1'), 202)
      await drive(t, bench, () => url)
      assert.equal((await doomed.exited()).signal, 'SIGKILL', 'the failpoint fired: the run is valid')

      url = (await startFunction(t, bench, {})).url
      await expireLeases(bench)
      await isDone(bench, 'e1')
      assert.deepEqual(await bench.rows('SELECT id FROM effect'), [{ id: `e1 ${outcome}` }])
      const calls = await bench.rows<{ name: string }>('SELECT name FROM call')
      assert.equal(calls.filter(({ name }) => name === 'charge').length, charges)
      const asked = calls.filter(({ name }) => name.startsWith('ask')).map(({ name }) => name)
      assert.equal(asked.length, asks)
      assert.equal(new Set(asked).size, 1, 'the same idempotency key each time')
      await assertPublishedOnce(bench)
    },
  )
}

test(
  `driver killed at ${failpoint.laneAfterClaim}: the lane is taken again when the lease is over, at no attempt`,
  { timeout: 30_000 },
  async (t) => {
    const bench = await prepare(t)
    const { url } = await startFunction(t, bench, {})
    assert.equal(await post(url, 'e1'), 202)
    const doomed = startChild(t, [script], {
      env: { TEST_URL: bench.url, TEST_FAILPOINT: `${failpoint.laneAfterClaim}=kill`, TEST_FUNCTION_URL: url },
    })
    assert.equal((await doomed.exited()).signal, 'SIGKILL')
    const [lane] = await bench.rows('SELECT attempts, token FROM sluice.lane JOIN sluice.parked USING (function, key)')
    assert.equal(lane?.['attempts'], 0)
    assert.notEqual(lane?.['token'], null)

    await drive(t, bench, () => url)
    await expireLeases(bench)
    await isDone(bench, 'e1')
    assert.deepEqual(await bench.rows('SELECT id FROM effect'), [{ id: 'e1 known' }])
  },
)
