// The end of every function: real processes, real signals, at every moment, with everything at hand or something gone.
//
// Exit 0 well below the limit, always, unless work or a part of the process did not end in its time: then exit 1, within the
// limit. A drained process ends by itself; what would keep it is named in its log, and none may.

import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import pg from 'pg'
import { proxyTo, redisForTests, startTcpProxy, until } from '../../support/index.ts'
import { startBrokerFromJars } from '../../support/services/kafka/broker-from-jars.ts'
import { watch } from '../../functions/support/client.ts'
import {
  caseOf,
  databaseUrl,
  functionCases,
  launch,
  lockTable,
  shutdownTimeoutMs,
  start,
  type FunctionCase,
  type RunningFunction,
} from './function-at-end.ts'

const limit = { timeout: 240_000 }
const exitWithin = { limitMs: 2 * shutdownTimeoutMs }

/** The same for every function, a few processes at a time. */
function forEach(
  title: string,
  cases: readonly FunctionCase[],
  body: (t: TestContext, one: FunctionCase) => Promise<void>,
): void {
  test(title, { ...limit, concurrency: 4 }, async (t) => {
    await Promise.all(cases.map((one) => t.test(one.name, limit, (each) => body(each, one))))
  })
}

async function endsWell(child: RunningFunction): Promise<Record<string, unknown>> {
  assert.deepEqual(await child.exited(exitWithin), { code: 0, signal: null }, child.lines.slice(-5).join('\n'))
  const receipt = await child.record('shutdown complete')
  assert.ok(Number(receipt['seconds']) < shutdownTimeoutMs / 2_000, `it took ${String(receipt['seconds'])} s`)
  const lingering = child.lines.filter((line) => line.includes('open handles'))
  assert.deepEqual(lingering, [])
  for (const part of ['finished', 'released']) assert.ok(Array.isArray(receipt[part]))
  assert.equal(typeof receipt['flushed_events'], 'number')
  return receipt
}

for (const signal of ['SIGTERM', 'SIGINT'] as const)
  forEach(`${signal} while idle`, functionCases, async (t, one) => {
    const child = await start(t, one, { DATABASE_URL: await databaseUrl(t) })
    child.kill(signal)
    const { finished, released, failed_steps: failedSteps } = await endsWell(child)
    assert.deepEqual([finished, released, failedSteps], [[], [], []])
  })

forEach('SIGTERM in flight: the work is finished and answered', functionCases, async (t, one) => {
  const url = await databaseUrl(t)
  const child = await start(t, one, { DATABASE_URL: url })
  const lock = await lockTable(t, url, one.table)
  const answer = child.send()
  await lock.waitedFor()
  child.kill('SIGTERM')
  await child.record('shutdown begins')
  await lock.release()
  const status = await answer
  assert.ok(status >= 200 && status < 300, `answered ${status}`)
  const { finished, released } = await endsWell(child)
  assert.ok(Array.isArray(finished) && finished.some((id) => one.receiptId.test(String(id))), String(finished))
  assert.deepEqual(released, [])
})

forEach('SIGTERM twice: the second one kills', functionCases, async (t, one) => {
  const url = await databaseUrl(t)
  const child = await start(t, one, { DATABASE_URL: url })
  const lock = await lockTable(t, url, one.table)
  const answer = child.send().catch(() => 0)
  await lock.waitedFor()
  child.kill('SIGTERM')
  await child.record('shutdown begins')
  child.kill('SIGTERM')
  assert.deepEqual(await child.exited(exitWithin), { code: null, signal: 'SIGTERM' })
  assert.equal(await answer, 0)
})

forEach('work that never ends: exit 1 when the limit is hit, and the work is named', functionCases, async (t, one) => {
  const url = await databaseUrl(t)
  const child = await start(t, one, { DATABASE_URL: url, SHUTDOWN_TIMEOUT_MS: '2000' })
  const lock = await lockTable(t, url, one.table)
  void child.send().catch(() => 0)
  await lock.waitedFor()
  child.kill('SIGTERM')
  assert.deepEqual(await child.exited(exitWithin), { code: 1, signal: null }, child.lines.slice(-5).join('\n'))
  const last = JSON.parse(child.lines.findLast((line) => /"shutdown (complete|timed out)"/.test(line)) ?? '{}') as {
    released?: string[]
    unfinished?: string[]
  }
  const named = last.released ?? last.unfinished ?? []
  assert.ok(
    named.some((id) => one.receiptId.test(id)),
    JSON.stringify(last),
  )
})

forEach('SIGTERM during the start', functionCases, async (t, one) => {
  const { proxy, proxied } = await proxyTo(t, await databaseUrl(t))
  proxy.freeze()
  const child = launch(t, one.name, { DATABASE_URL: proxied })
  await until('it waits for Postgres', () => proxy.open > 0, { limitMs: 60_000 })
  child.kill('SIGTERM')
  assert.deepEqual(await child.exited(exitWithin), { code: 0, signal: null }, child.lines.join('\n'))
})

for (const how of ['freeze', 'cut'] as const)
  forEach(`SIGTERM while Postgres is gone (${how})`, functionCases, async (t, one) => {
    const { proxy, proxied } = await proxyTo(t, await databaseUrl(t))
    const child = await start(t, one, { DATABASE_URL: proxied })
    proxy[how]()
    child.kill('SIGTERM')
    await endsWell(child)
  })

const redisUsers = functionCases.filter(({ uses }) => uses.includes('redis'))
for (const how of ['freeze', 'cut'] as const)
  forEach(`SIGTERM while Redis is gone (${how})`, redisUsers, async (t, one) => {
    const redis = await redisForTests(t)
    if (redis === undefined) return
    const { proxy, proxied } = await proxyTo(t, redis.url)
    const child = await start(t, one, { DATABASE_URL: await databaseUrl(t), REDIS_URL: proxied })
    proxy[how]()
    child.kill('SIGTERM')
    await endsWell(child)
  })

test('SIGTERM while Kafka is gone: what could not be published waits in the outbox', limit, async (t) => {
  const broker = await startBrokerFromJars()
  if ('missing' in broker) {
    assert.notEqual(process.env['CI'], 'true', broker.missing)
    return t.skip(broker.missing)
  }
  t.after(() => broker.stop())
  const url = await databaseUrl(t)
  const users = functionCases.filter(({ uses }) => uses.includes('kafka'))
  const children = await Promise.all(
    users.map((one) => start(t, one, { DATABASE_URL: url, KAFKA_BROKERS: broker.brokers })),
  )
  await broker.end()
  const statuses = await Promise.all(children.map((child) => child.send()))
  assert.ok(
    statuses.every((status) => status < 300),
    String(statuses),
  )
  for (const child of children) child.kill('SIGTERM')
  await Promise.all(children.map(endsWell))
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const { rows } = await client.query<{ waiting: number }>('SELECT count(*)::integer AS waiting FROM sluice.outbox')
  await client.end()
  assert.ok((rows[0]?.waiting ?? 0) >= 2, `${rows[0]?.waiting} rows wait`)
})

test('SIGTERM while Kafka never answers, during the start', limit, async (t) => {
  const url = await databaseUrl(t)
  const silent = await startTcpProxy(t, { port: Number(new URL(url).port) })
  silent.freeze()
  const child = launch(t, 'outbox-sync', { DATABASE_URL: url, KAFKA_BROKERS: `127.0.0.1:${silent.port}` })
  await until('it waits for Kafka', () => silent.open > 0, { limitMs: 60_000 })
  child.kill('SIGTERM')
  assert.deepEqual(await child.exited(exitWithin), { code: 0, signal: null }, child.lines.join('\n'))
})

test('SIGTERM with a client on a stream: the stream ends with a hint when to come back', limit, async (t) => {
  const gateway = caseOf('gateway')
  const child = await start(t, gateway, { DATABASE_URL: await databaseUrl(t) })
  const init = { method: 'POST', headers: gateway.work.headers, body: JSON.stringify(gateway.work.body) }
  const sent = (await (await fetch(`${child.url}${gateway.work.path}`, init)).json()) as { session_id: string }
  const stream = await watch(t, `${child.url}/v1/session/${sent.session_id}/events`)
  await until('the stream has begun', () => stream.retries.length > 0)
  const hints = stream.retries.length
  child.kill('SIGTERM')
  await stream.ended
  assert.equal(stream.retries.length, hints + 1)
  await endsWell(child)
})

test('how long the drain took is scraped before the process is gone', limit, async (t) => {
  const child = await start(t, caseOf('tool-executor'), { DATABASE_URL: await databaseUrl(t) })
  let last = ''
  const scrape = async (): Promise<void> => {
    last = await (await fetch(`${child.operationsUrl}/metrics`)).text()
  }
  await scrape()
  assert.match(last, /service_shutdown_seconds_count\{.*\} 0/)
  child.kill('SIGTERM')
  await child.record('shutdown begins')
  while (!/service_shutdown_seconds_count\{.*\} 1/.test(last)) await scrape()
  const { seconds } = await endsWell(child)
  assert.match(last, /service_shutdown_seconds_sum\{/)
  assert.ok(Number(seconds) >= 0)
})
